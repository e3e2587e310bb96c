import { Counter, type Registry } from 'prom-client';
import type { KeyGuard, KeyLimiter } from '../access/index.ts';

/**
 * The limiter counts these itself: read when somebody scrapes. Which key it was stands in the request's log line, not in
 * a label: keys come and go, and every series stays.
 */
export function sampleRefusals(registry: Registry, limits: Pick<KeyLimiter, 'refusals'>): void {
  new Counter({
    name: 'gateway_limited_total',
    help: 'Calls refused because their API key had reached a limit.',
    labelNames: ['limit'] as const,
    registers: [registry],
    collect() {
      this.reset();
      for (const [limit, count] of Object.entries(limits.refusals())) this.labels(limit).inc(count);
    },
  });
}

/** Alert on `refused`: somebody is trying keys. Which address it is stands in the log (`keys_guessed`). */
export function sampleGuesses(registry: Registry, guard: Pick<KeyGuard, 'guesses'>): void {
  new Counter({
    name: 'gateway_key_guesses_total',
    help: 'Keys and sign-in links that nobody ever made: wrong ones, and ones refused unseen after too many of those.',
    labelNames: ['result'] as const,
    registers: [registry],
    collect() {
      this.reset();
      for (const [result, count] of Object.entries(guard.guesses())) this.labels(result).inc(count);
    },
  });
}
