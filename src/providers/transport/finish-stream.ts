import type { Clock } from '../../kernel/index.ts';
import type { ThinResponse } from './thin-fetch.ts';

/** How long an upstream may keep a finished stream open before its connection is given up. */
const END_GRACE_MS = 250;

/**
 * Reads a stream whose last event has come to its end, so that the connection can be used again; an upstream that
 * keeps it open loses it. Without this, leaving the loop at `[DONE]` would close every streaming connection.
 */
export async function finishStream(
  events: AsyncIterator<unknown>,
  response: ThinResponse,
  clock: Clock,
): Promise<void> {
  let isEnded = false;
  let ended: AbortController | null = null;
  const end = events
    .next()
    .catch(() => undefined)
    .then(() => {
      isEnded = true;
      ended?.abort('ended');
    });
  // The end mostly came with the last event, and is read in this turn.
  await new Promise((resolve) => setImmediate(resolve));
  if (!isEnded) {
    ended = new AbortController();
    await clock.sleep(END_GRACE_MS, ended.signal);
  }
  if (!isEnded) response.cancel();
  await end;
}
