import type { Clock, Logger, Random } from '../../kernel/index.ts';
import type { Usage } from '../language-model.ts';
import type { BackoffOptions } from './backoff.ts';
import type { StreamLimits } from './stream-watch.ts';
import type { RouteTarget } from './target.ts';
import type { TargetOrder } from './target-order.ts';

/** Cost of a call by the price table; null when model or tokens are unknown. */
export type PriceOf = (models: readonly string[], usage: Usage) => number | null;

/** What one route is made of. */
export interface RouteParts {
  readonly name: string;
  /** By ascending order. */
  readonly targets: readonly RouteTarget[];
  readonly order: TargetOrder<RouteTarget>;
  readonly timeout: StreamLimits & { readonly totalMs: number };
  readonly retries: BackoffOptions & { readonly attemptsPerTarget: number; readonly maxAttempts: number };
  /** What to set so that the route has a provider; null when it has one. */
  readonly notConfigured: string | null;
  readonly priceOf: PriceOf;
  readonly priceTableVersion: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}
