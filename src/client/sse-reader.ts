import { invalidResponse } from './wire.ts';

export interface SseMessage {
  readonly event: string;
  readonly data: string;
}

/** More text than any answer: an endless line must not eat the memory. */
const MAX_MESSAGE_CHARACTERS = 16_777_216;

/**
 * Server-sent events of a byte stream (WHATWG HTML, section 9.2.6). Characters and line ends may be split anywhere over
 * the chunks. A message without its closing blank line is dropped, as the standard says. `onChunk` is called for every
 * chunk: what keeps a silent connection apart from a slow one. Fails with `invalid_response` on text that is no UTF-8.
 */
export async function* readSse(
  body: AsyncIterable<Uint8Array>,
  onChunk: () => void,
): AsyncGenerator<SseMessage, void> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let pending = '';
  let event = '';
  let data: string[] = [];
  let dataCharacters = 0;
  for await (const chunk of body) {
    onChunk();
    pending += decode(decoder, chunk);
    let from = 0;
    for (let line = nextLine(pending, from); line !== null; line = nextLine(pending, from)) {
      from = line.next;
      if (line.text === '') {
        if (data.length > 0) yield { event: event === '' ? 'message' : event, data: data.join('\n') };
        event = '';
        data = [];
        dataCharacters = 0;
        continue;
      }
      const colon = line.text.indexOf(':');
      // A line that begins with a colon is a comment: proxies keep connections awake with it.
      const field = colon === -1 ? line.text : line.text.slice(0, colon);
      const value = colon === -1 ? '' : line.text.slice(colon + 1).replace(/^ /, '');
      if (field === 'event') event = value;
      if (field === 'data') {
        data.push(value);
        dataCharacters += value.length;
      }
    }
    pending = pending.slice(from);
    if (pending.length + dataCharacters > MAX_MESSAGE_CHARACTERS) {
      throw invalidResponse(`an event of more than ${MAX_MESSAGE_CHARACTERS} characters`);
    }
  }
}

/** The line at `from`, or null while its end is not here. */
function nextLine(text: string, from: number): { readonly text: string; readonly next: number } | null {
  // A `\r` at the very end may be half of `\r\n`: it waits for what follows.
  const lineEnd = /\r\n|\n|\r(?=[\s\S])/g;
  lineEnd.lastIndex = from;
  const found = lineEnd.exec(text);
  return found === null ? null : { text: text.slice(from, found.index), next: found.index + found[0].length };
}

function decode(decoder: InstanceType<typeof TextDecoder>, chunk: Uint8Array): string {
  try {
    return decoder.decode(chunk, { stream: true });
  } catch (cause) {
    throw invalidResponse('text that is not UTF-8', cause);
  }
}
