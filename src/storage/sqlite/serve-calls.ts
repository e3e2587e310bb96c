import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';

/** From the main side to a thread. */
export type CallsMessage<Call> =
  | { readonly kind: 'calls'; readonly calls: readonly TimedCall<Call>[] }
  /** Everything posted before it is done first. */
  | { readonly kind: 'close' };

export interface TimedCall<Call> {
  readonly id: number;
  /** {@link processMonotonicMs} when it was submitted. */
  readonly submittedAtMs: number;
  readonly call: Call;
}

/** From a thread to the main side. */
export type RepliesMessage<Reply> =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'replies';
      readonly replies: readonly { readonly id: number; readonly reply: Reply }[];
    };

/**
 * The thread's side: takes everything that waits, at most `maxBatch` calls at once, answers it together, and never
 * lingers for more. `apply` must not throw; a thread in which it does dies, and its pending calls fail.
 */
export function serveCalls<Call, Reply>(options: {
  readonly port: MessagePort;
  readonly maxBatch: number;
  readonly apply: (calls: readonly TimedCall<Call>[]) => readonly Reply[];
  readonly close: () => void;
}): void {
  const { port, maxBatch, apply, close } = options;
  const post = (message: RepliesMessage<Reply>): void => port.postMessage(message);

  port.on('message', (first: CallsMessage<Call>) => {
    const waiting: TimedCall<Call>[] = [];
    let message: CallsMessage<Call> | undefined = first;
    while (message?.kind === 'calls') {
      waiting.push(...message.calls);
      if (waiting.length >= maxBatch) break;
      // Structured clone of what the main side posted: of this type by construction.
      message = receiveMessageOnPort(port)?.message as CallsMessage<Call> | undefined;
    }
    for (let start = 0; start < waiting.length; start += maxBatch) {
      const calls = waiting.slice(start, start + maxBatch);
      const replies = apply(calls);
      post({
        kind: 'replies',
        replies: calls.flatMap(({ id }, index) => {
          const reply = replies[index];
          return reply === undefined ? [] : [{ id, reply }];
        }),
      });
    }
    if (message?.kind === 'close') {
      close();
      port.close();
    }
  });
  post({ kind: 'ready' });
}
