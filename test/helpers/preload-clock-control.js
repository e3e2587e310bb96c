// Loaded before a gateway by a fault test: each SIGUSR2 sets the wall clock back by an hour. The monotonic one goes on.
import { isMainThread } from 'node:worker_threads';

const STEP_BACK_MS = 3_600_000;

if (isMainThread) {
  const trueNow = Date.now;
  let behindMs = 0;
  Date.now = () => trueNow() - behindMs;
  process.on('SIGUSR2', () => {
    behindMs += STEP_BACK_MS;
  });
}
