import type { ServerResponse } from 'node:http';
import type { RequestScope } from './request-scope.ts';

/** Writes server-sent events and waits whenever the caller reads slower than the model writes. */
export interface SseWriter {
  readonly begun: boolean;
  begin(): void;
  /** `event` null writes a bare `data:` line, as OpenAI's streams do. */
  write(event: string | null, data: string): Promise<void>;
  end(): void;
}

export function createSseWriter(response: ServerResponse, scope: RequestScope): SseWriter {
  let begun = false;
  return {
    get begun() {
      return begun;
    },
    begin() {
      begun = true;
      if (response.destroyed) return;
      // nginx would collect the events without the second one.
      scope.head.push('Content-Type', 'text/event-stream; charset=utf-8', 'X-Accel-Buffering', 'no');
      response.writeHead(200, scope.head);
    },
    async write(event, data) {
      if (response.destroyed || response.writableEnded) return;
      // JSON text holds no raw line break, so one data line is enough.
      const isRoomLeft = response.write(
        event === null ? `data: ${data}\n\n` : `event: ${event}\ndata: ${data}\n\n`,
      );
      if (!isRoomLeft) await drained(response);
    },
    end() {
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
