import type { Environment, GatewayConfig, ProviderConfig, RouteConfig } from '../config/index.ts';
import {
  AppError,
  type Clock,
  type Fault,
  type Logger,
  listNames,
  nearestName,
  type Random,
} from '../kernel/index.ts';
import { describeProvider, type ProviderDescription } from './describe-providers.ts';
import { LanguageModels } from './language-models.ts';
import { OFFLINE_MODEL } from './offline/index.ts';
import { PRICE_TABLE_VERSION, priceOf } from './prices/index.ts';
import { TargetRoute } from './route/route.ts';
import { RouteTarget } from './route/target.ts';
import { TargetOrder } from './route/target-order.ts';
import type { Routes } from './route-types.ts';
import { toModelParameters } from './target-parameters.ts';

export interface CreateRoutesOptions {
  readonly config: GatewayConfig;
  readonly environment: Environment;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Of the gateway, for the `User-Agent` that upstreams see. */
  readonly version: string;
}

export interface CreatedRoutes extends Routes {
  /** What an operator should know at start: routes without a model, targets left out. */
  readonly warnings: readonly string[];
}

/**
 * The routes of a configuration, ready to call. Targets whose provider lacks its environment variables are left out; a
 * route without any target stays, and its calls fail with `provider_unavailable` saying which variables to set.
 *
 * Fails with `config_invalid`, all faults at once: unknown providers, base URLs, CA files, proxies.
 */
export function createRoutes(options: CreateRoutesOptions): CreatedRoutes {
  const { config, environment } = options;
  const faults: Fault[] = [];
  const descriptionByName = new Map(
    Object.entries(config.providers).map(([name, provider]) => [
      name,
      describeOrFault(name, provider, environment, faults),
    ]),
  );
  const models = new LanguageModels(options);
  const warnings: string[] = [];
  const routeByName = new Map<string, TargetRoute>();
  const targetsByRoute = new Map<string, readonly RouteTarget[]>();
  for (const [name, route] of Object.entries(config.routes)) {
    const targets = targetsOf(name, route, { ...options, models, descriptionByName, faults });
    const missing = missingVariables(route, descriptionByName);
    warnings.push(...routeWarnings(name, targets, missing));
    targetsByRoute.set(name, targets);
    routeByName.set(name, routeOf(name, route, { ...options, targets, missing }));
  }
  if (faults.length > 0) {
    void models.close();
    throw new AppError('config_invalid', 'The providers or routes of the configuration are not valid.', {
      faults,
    });
  }
  return {
    warnings,
    get: (name) => routeByName.get(name) ?? unknownRoute(name, routeByName.keys()),
    names: () => [...routeByName.keys()],
    health: () => {
      const nowMs = options.clock.monotonicMs();
      return [...targetsByRoute].flatMap(([route, targets]) =>
        targets.map(({ provider, model, breaker, limit }) => ({
          route,
          provider,
          model,
          circuit: breaker.state(nowMs),
          inFlight: limit.inFlight,
          queued: limit.queued,
        })),
      );
    },
    close: () => models.close(),
  };
}

function unknownRoute(name: string, known: Iterable<string>): never {
  const names = [...known];
  const meant = nearestName(name, names);
  throw new AppError(
    'route_not_found',
    `There is no route "${name}"${meant === null ? '' : `, did you mean "${meant}"`}. Known routes: ${listNames(names)}.`,
    { details: { known: names } },
  );
}

function describeOrFault(
  name: string,
  provider: ProviderConfig,
  environment: Environment,
  faults: Fault[],
): ProviderDescription {
  return (
    orFault(`providers.${name}`, faults, () => describeProvider(name, provider, environment)) ?? {
      name,
      kind: provider.kind,
      inUse: false,
      reason: 'its configuration is not valid',
      missing: [],
    }
  );
}

interface TargetContext {
  readonly config: GatewayConfig;
  readonly environment: Environment;
  readonly models: LanguageModels;
  readonly descriptionByName: ReadonlyMap<string, ProviderDescription>;
  readonly faults: Fault[];
}

function targetsOf(routeName: string, route: RouteConfig, context: TargetContext): readonly RouteTarget[] {
  const { faults } = context;
  const targets: RouteTarget[] = [];
  route.targets.forEach((target, index) => {
    const path = `routes.${routeName}.targets[${index}]`;
    const provider = context.config.providers[target.provider];
    if (provider === undefined) {
      const known = listNames(Object.keys(context.config.providers));
      faults.push({
        path: `${path}.provider`,
        message: `there is no provider "${target.provider}"; known are ${known}`,
      });
      return;
    }
    if (context.descriptionByName.get(target.provider)?.inUse !== true) return;
    const languageModel = orFault(`providers.${target.provider}`, faults, () =>
      context.models.get(target.provider, provider, route.timeout.connect_ms),
    );
    if (languageModel === null) return;
    const isOffline = provider.kind === 'offline';
    const fromEnvironment =
      target.model_env === undefined ? null : context.environment.secret(target.model_env);
    targets.push(
      new RouteTarget({
        languageModel,
        model: isOffline ? OFFLINE_MODEL : (fromEnvironment ?? target.model),
        weight: target.weight,
        order: target.order,
        parameters: toModelParameters(target.parameters),
        maxConcurrency: target.max_concurrency,
        maxQueue: target.max_queue,
        isOffline,
        breaker: {
          failureShare: route.circuit_breaker.failure_share,
          minimumCalls: route.circuit_breaker.minimum_calls,
          windowMs: route.circuit_breaker.window_ms,
          openMs: route.circuit_breaker.open_ms,
        },
      }),
    );
  });
  return targets.sort((a, b) => a.order - b.order);
}

function routeOf(
  name: string,
  route: RouteConfig,
  context: Pick<CreateRoutesOptions, 'clock' | 'random' | 'logger'> & {
    readonly targets: readonly RouteTarget[];
    readonly missing: readonly string[];
  },
): TargetRoute {
  const { targets, missing, clock, random, logger } = context;
  const hasModel = targets.some((target) => !target.isOffline);
  return new TargetRoute({
    name,
    targets,
    order: new TargetOrder(targets),
    timeout: {
      totalMs: route.timeout.total_ms,
      firstTokenMs: route.timeout.first_token_ms,
      idleMs: route.timeout.idle_ms,
    },
    retries: {
      attemptsPerTarget: route.retries.attempts_per_target,
      maxAttempts: route.retries.max_attempts,
      backoffMs: route.retries.backoff_ms,
      maxBackoffMs: route.retries.max_backoff_ms,
    },
    notConfigured: hasModel ? null : howToConfigure(missing),
    priceOf,
    priceTableVersion: PRICE_TABLE_VERSION,
    clock,
    random,
    logger,
  });
}

/** One variable of each provider left out, in the order of the route. */
function missingVariables(
  route: RouteConfig,
  descriptionByName: ReadonlyMap<string, ProviderDescription>,
): readonly string[] {
  const names = route.targets.flatMap(({ provider }) => {
    const { missing = [] } = descriptionByName.get(provider) ?? {};
    return missing.length === 0 ? [] : [missing.join(' and ')];
  });
  return [...new Set(names)];
}

function howToConfigure(missing: readonly string[]): string {
  return missing.length === 0
    ? 'add a target with a provider that can be used.'
    : `set ${missing.join(', or ')}, and restart the gateway.`;
}

function routeWarnings(
  name: string,
  targets: readonly RouteTarget[],
  missing: readonly string[],
): readonly string[] {
  if (targets.some((target) => !target.isOffline)) return [];
  const how = howToConfigure(missing);
  return targets.length === 0
    ? [`Route "${name}" has no provider in use and refuses every call: ${how}`]
    : [
        `Route "${name}" has no model in use: it serves the authored lines of the prompts, marked degraded. For a model, ${how}`,
      ];
}

function orFault<T>(path: string, faults: Fault[], make: () => T): T | null {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'config_invalid') throw error;
    if (!faults.some((fault) => fault.message === error.message))
      faults.push({ path, message: error.message });
    return null;
  }
}
