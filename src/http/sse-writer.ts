import type { ServerResponse } from 'node:http';
import type { RequestScope } from './request-scope.ts';

/** Writes server-sent events and waits whenever the caller reads slower than the model writes. */
export interface SseWriter {
  readonly begun: boolean;
  begin(): void;
  /**
   * `event` null writes a bare `data:` line, as OpenAI's streams do. Events of one turn of the event loop leave in one
   * piece: what came from upstream together goes on together.
   */
  write(event: string | null, data: string): Promise<void>;
  end(): void;
}

/** Events of this length together do not wait for the end of the turn. */
const MAX_PENDING_CHARACTERS = 16_384;
const ROOM_LEFT = Promise.resolve();

export function createSseWriter(response: ServerResponse, scope: RequestScope): SseWriter {
  let begun = false;
  let pending = '';
  let room: Promise<void> = ROOM_LEFT;

  const flush = (): void => {
    if (pending === '' || response.destroyed || response.writableEnded) return;
    const text = pending;
    pending = '';
    room = response.write(text) ? ROOM_LEFT : drained(response);
  };

  return {
    get begun() {
      return begun;
    },
    begin() {
      begun = true;
      if (response.destroyed) return;
      // Without `X-Accel-Buffering` nginx would collect the events.
      scope.head.push('Content-Type', 'text/event-stream; charset=utf-8', 'X-Accel-Buffering', 'no');
      response.writeHead(200, scope.head);
    },
    write(event, data) {
      if (response.destroyed || response.writableEnded) return ROOM_LEFT;
      if (pending === '') setImmediate(flush);
      // JSON text holds no raw line break, so one data line is enough.
      pending += event === null ? `data: ${data}\n\n` : `event: ${event}\ndata: ${data}\n\n`;
      if (pending.length > MAX_PENDING_CHARACTERS) flush();
      return room;
    },
    end() {
      flush();
      if (!response.destroyed) response.end();
    },
  };
}

/** Also resolves when the connection closes: the loop then sees its aborted signal. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      response.removeListener('drain', finish);
      response.removeListener('close', finish);
      resolve();
    };
    response.once('drain', finish);
    response.once('close', finish);
    if (response.destroyed) finish();
  });
}
