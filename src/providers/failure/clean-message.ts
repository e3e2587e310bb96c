const MAX_MESSAGE_CHARACTERS = 300;

/**
 * An upstream's words made fit for rows, logs and (for bad requests) callers: no keys, no addresses, one line, cut.
 * LiteLLM, for one, puts the host and port of the deployment behind it into its messages.
 */
export function cleanMessage(text: string, secret: string | null): string {
  let cleaned = text;
  // A very short "key" (Ollama takes any word) would tear holes into ordinary text.
  if (secret !== null && secret.length >= 8) cleaned = cleaned.replaceAll(secret, '[key]');
  cleaned = cleaned
    // LiteLLM's own advice, with the names of its model groups.
    .replace(
      /\s*(?:LiteLLM: model group|model=\S+ context_window_fallbacks=|Set 'context_window_fallback').*$/s,
      '',
    )
    .replace(/\b[a-z][a-z0-9+.-]*:\/\/[^\s"'<>)\]}]+/gi, '[url]')
    .replace(/\bBearer\s+[\w.~+/=-]+/gi, 'Bearer [key]')
    .replace(/\b(?:sk|pk|rk|gsk|xai)[-_][\w*.-]{6,}/gi, '[key]')
    .replace(/\bhost\s+\S+:\d+(?:\s+ssl:\S*(?:\s+\[[^\]]*\]|\s+object at \w+>)*)?/gi, 'host [address]')
    .replace(/\(\s*'[^']*'\s*,\s*\d+\s*\)/g, '[address]')
    .replace(/(?:\b\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:]{2,}\]|\blocalhost)(?::\d+)?/gi, '[address]')
    .replace(/\s+/g, ' ')
    .trim();
  return cleaned.length <= MAX_MESSAGE_CHARACTERS
    ? cleaned
    : `${cleaned.slice(0, MAX_MESSAGE_CHARACTERS - 1)}…`;
}
