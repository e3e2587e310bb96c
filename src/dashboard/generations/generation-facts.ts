import type { GenerationAttempt, RenderedMissing } from '../api/generation-wire.ts';

/** Why the messages of a call cannot be shown. */
export const RENDERED_MISSING: Readonly<Record<RenderedMissing, string>> = {
  version_gone: 'The version of this call is not in the registry any more.',
  content_changed: 'The version has another content by now: rendering it would show what was never sent.',
  redacted: 'Variables of this call are redacted, so its messages cannot be rendered again.',
  not_recorded: 'The variables of this call are not recorded.',
  render_failed: 'Rendering the recorded variables again failed.',
};

export interface AttemptBar {
  /** Both as shares of the time that all tries together took, within [0, 1]. */
  readonly begin: number;
  readonly width: number;
}

/** Where each try lies in the time of all of them: a share of it even for a try that failed at once. */
export function attemptBars(
  attempts: readonly Pick<GenerationAttempt, 'started_ms' | 'duration_ms'>[],
): readonly AttemptBar[] {
  const endMs = Math.max(1, ...attempts.map((attempt) => attempt.started_ms + attempt.duration_ms));
  return attempts.map(({ started_ms, duration_ms }) => {
    const begin = Math.min(started_ms / endMs, 1 - MIN_BAR);
    return { begin, width: Math.min(1 - begin, Math.max(MIN_BAR, duration_ms / endMs)) };
  });
}

/** Narrower bars would not be seen. */
const MIN_BAR = 0.01;

/** Any value as text that tells `"1"` from `1`. */
export function valueText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** One reward as it was given: `1`, `0.7`; a mean would need the same decimals everywhere, this does not. */
export function rewardText(reward: number): string {
  return String(Number(reward.toFixed(4))).replace(/^-/, '−');
}

/** A record as text to read. */
export function recordText(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

/** What a message says: text as it is, parts as JSON. */
export function contentText(content: unknown): string {
  return typeof content === 'string' ? content : recordText(content);
}
