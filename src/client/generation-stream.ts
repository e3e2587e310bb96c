import { GatewayError } from './gateway-error.ts';
import { type Exchange, type OpenAnswer, openAnswer, parseJson, problemError } from './http-exchange.ts';
import { readSse, type SseMessage } from './sse-reader.ts';
import type { StreamEvent } from './types.ts';
import {
  faultsFromWire,
  generationFromWire,
  headFromWire,
  invalidResponse,
  numberOf,
  recordOf,
  requiredText,
  textOf,
} from './wire.ts';

/** A stream whose first event has arrived. */
export interface OpenedStream {
  readonly answer: OpenAnswer;
  readonly messages: AsyncGenerator<SseMessage, void>;
  readonly first: SseMessage;
  readonly silenceMs: number;
}

/** How long the gateway may take to end the connection after the last event; then it is cut instead of kept alive. */
const FAREWELL_MS = 250;

/** Connects and waits for the first event: until then nothing was handed out and another try is safe. */
export async function openStream(exchange: Exchange, silenceMs: number): Promise<OpenedStream> {
  const answer = await openAnswer(exchange);
  try {
    if (answer.headers.get('content-type')?.startsWith('text/event-stream') !== true) {
      throw invalidResponse('something that is no event stream');
    }
    const messages = readSse(answer.chunks(), () => answer.allowSilence(silenceMs));
    const first = await messages.next();
    if (first.done === true) {
      throw new GatewayError('connection_failed', 'The stream ended before its first event.');
    }
    return { answer, messages, first: first.value, silenceMs };
  } catch (thrown) {
    answer.close();
    throw answer.explain(thrown);
  }
}

/** Ends after the `end` event; whatever else ends the stream is thrown. */
export async function* streamEvents(stream: OpenedStream): AsyncGenerator<StreamEvent, void> {
  const { answer } = stream;
  let generationId: string | null = null;
  let message: SseMessage = stream.first;
  try {
    for (;;) {
      const event = eventOf(message);
      if (event !== null) {
        if (event.kind === 'start') generationId = event.head.id;
        // The time the caller takes with an event is not the gateway's silence.
        answer.allowSilence(null);
        yield event;
        if (event.kind === 'end') {
          await farewell(stream);
          return;
        }
        answer.allowSilence(stream.silenceMs);
      }
      message = await nextMessage(stream, generationId);
    }
  } finally {
    answer.close();
  }
}

async function nextMessage(
  { answer, messages }: OpenedStream,
  generationId: string | null,
): Promise<SseMessage> {
  let cause: GatewayError | undefined;
  try {
    const next = await messages.next();
    if (next.done !== true) return next.value;
  } catch (thrown) {
    cause = answer.explain(thrown);
    if (cause.code === 'aborted' || cause.code === 'invalid_response') throw cause;
  }
  throw new GatewayError('stream_interrupted', 'The stream broke off before its end.', {
    status: answer.status,
    requestId: answer.headers.get('x-request-id'),
    generationId,
    cause,
  });
}

/** Reads the end of the body, so that the connection can serve the next call. */
async function farewell({ answer, messages }: OpenedStream): Promise<void> {
  const timer = setTimeout(answer.close, FAREWELL_MS);
  try {
    await messages.next();
  } catch {
    // The answer is complete: a connection that ends badly only costs a new one.
  } finally {
    clearTimeout(timer);
  }
}

/** Null for events of a later gateway. Throws the problem of an `error` event. */
function eventOf({ event, data }: SseMessage): StreamEvent | null {
  switch (event) {
    case 'start':
      return { kind: 'start', head: headFromWire(parseJson(data)) };
    case 'delta':
      return { kind: 'delta', text: requiredText(recordOf(parseJson(data)), 'text') };
    case 'tool_call': {
      const wire = recordOf(parseJson(data));
      return {
        kind: 'tool_call',
        index: numberOf(wire, 'index') ?? 0,
        id: textOf(wire, 'id'),
        name: textOf(wire, 'name'),
        argumentsDelta: textOf(wire, 'arguments_delta') ?? '',
      };
    }
    case 'end': {
      const wire = recordOf(parseJson(data));
      return {
        kind: 'end',
        generation: generationFromWire(wire, false),
        outputFaults: faultsFromWire(wire, 'output_faults'),
      };
    }
    case 'error':
      throw problemError(recordOf(parseJson(data)), {
        status: 200,
        requestId: null,
        retryAfterMs: null,
        message: 'The stream failed.',
      });
    default:
      return null;
  }
}
