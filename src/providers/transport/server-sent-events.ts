import { StringDecoder } from 'node:string_decoder';

export interface ServerSentEvent {
  /** Name from the `event:` field; null when there was none. */
  readonly event: string | null;
  readonly data: string;
}

/**
 * Server-sent events of a byte stream, chunk by chunk: a batch holds the events that one chunk completed. As the HTML
 * standard's event stream format defines them (section 9.2.6), with two liberties: ids and retry hints are dropped, and
 * an unfinished last event is delivered at the end of the stream (upstreams forget the final empty line).
 *
 * Written here because the SDKs' own decoders copy their buffer per chunk and hide how a stream ended: an abort looks
 * like the end, and so does a missing `[DONE]`.
 */
export async function* readServerSentEvents(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<readonly ServerSentEvent[], void, undefined> {
  const decoder = new EventDecoder();
  const text = new StringDecoder('utf8');
  for await (const chunk of body) {
    const events = decoder.push(text.write(chunk as Buffer));
    if (events.length > 0) yield events;
  }
  const last = [...decoder.push(text.end()), ...decoder.finish()];
  if (last.length > 0) yield last;
}

/** Incremental decoder: text in, whole events out. */
export class EventDecoder {
  #pending = '';
  #event: string | null = null;
  #data: string | null = null;
  #started = false;
  /** The pending text ends in a carriage return; asked of the text itself, V8 would flatten it every time. */
  #holdsCarriageReturn = false;

  push(text: string): ServerSentEvent[] {
    const events: ServerSentEvent[] = [];
    if (text === '') return events;
    if (this.#started && !this.#holdsCarriageReturn && !text.includes('\n') && !text.includes('\r')) {
      // A long line in many chunks: appending without looking keeps the cost linear.
      this.#pending += text;
      return events;
    }
    let buffer = this.#pending === '' ? text : this.#pending + text;
    if (!this.#started) {
      if (buffer.charCodeAt(0) === 0xfeff) buffer = buffer.slice(1);
      this.#started = true;
    }
    this.#holdsCarriageReturn = false;
    const hasCarriageReturns = buffer.includes('\r');
    let start = 0;
    while (start < buffer.length) {
      const end = hasCarriageReturns ? lineEnd(buffer, start) : buffer.indexOf('\n', start);
      if (end === -1) break;
      // A carriage return at the very end may be the first half of CRLF: wait for the next chunk.
      if (buffer.charCodeAt(end) === CARRIAGE_RETURN && end + 1 === buffer.length) {
        this.#holdsCarriageReturn = true;
        break;
      }
      const event = this.#line(buffer.slice(start, end));
      if (event !== null) events.push(event);
      start =
        buffer.charCodeAt(end) === CARRIAGE_RETURN && buffer.charCodeAt(end + 1) === LINE_FEED
          ? end + 2
          : end + 1;
    }
    this.#pending = start === 0 ? buffer : buffer.slice(start);
    return events;
  }

  finish(): readonly ServerSentEvent[] {
    const rest = this.#pending.endsWith('\r') ? this.#pending.slice(0, -1) : this.#pending;
    this.#pending = '';
    if (rest !== '') this.#line(rest);
    const event = this.#line('');
    return event === null ? [] : [event];
  }

  #line(line: string): ServerSentEvent | null {
    if (line === '') {
      const data = this.#data;
      const event = this.#event;
      this.#data = null;
      this.#event = null;
      return data === null ? null : { event, data };
    }
    const colon = line.indexOf(':');
    if (colon === 0) return null;
    const field = colon === -1 ? line : line.slice(0, colon);
    let value = colon === -1 ? '' : line.slice(colon + 1);
    if (value.charCodeAt(0) === 0x20) value = value.slice(1);
    if (field === 'data') this.#data = this.#data === null ? value : `${this.#data}\n${value}`;
    else if (field === 'event') this.#event = value;
    return null;
  }
}

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

function lineEnd(text: string, from: number): number {
  const feed = text.indexOf('\n', from);
  const carriage = text.indexOf('\r', from);
  if (feed === -1) return carriage;
  if (carriage === -1) return feed;
  return Math.min(feed, carriage);
}
