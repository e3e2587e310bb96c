import { AppError } from '../../src/kernel/index.ts';
import type {
  AttemptRecord,
  ModelResult,
  RouteAnswer,
  RouteCall,
  RouteOutcome,
  RouteRefusal,
  RouteStreamEvent,
  Routes,
} from '../../src/providers/index.ts';

const ATTEMPT: AttemptRecord = {
  provider: 'scripted',
  model: 'model-a',
  startedMs: 0,
  durationMs: 12,
  outcome: 'ok',
  status: 200,
  error: null,
};

export function modelResult(text: string, changes: Partial<ModelResult> = {}): ModelResult {
  return {
    text,
    toolCalls: [],
    model: 'model-a-2026',
    finishReason: { unified: 'stop', raw: 'stop' },
    usage: {
      inputTokens: 31,
      outputTokens: 18,
      cachedInputTokens: 0,
      reasoningTokens: null,
      raw: { prompt_tokens: 31 },
    },
    upstreamCostNanoUsd: 120_000,
    upstreamId: 'chatcmpl-1',
    rawMessage: null,
    ...changes,
  };
}

export function answered(text: string, changes: Partial<RouteAnswer> = {}): RouteAnswer {
  return {
    kind: 'answered',
    result: modelResult(text),
    provider: 'scripted',
    modelRequested: 'model-a',
    parameters: {},
    attempts: [ATTEMPT],
    fellBack: false,
    degraded: false,
    providerMs: 12,
    firstTokenMs: null,
    costNanoUsd: 120_000,
    costSource: 'upstream',
    priceTableVersion: null,
    ...changes,
  };
}

export function refused(error: AppError, changes: Partial<RouteRefusal> = {}): RouteRefusal {
  return {
    kind: 'failed',
    error,
    attempts: [{ ...ATTEMPT, outcome: 'server', status: 500, error: 'boom' }],
    providerMs: 7,
    partial: null,
    ...changes,
  };
}

export interface ScriptedRoutes extends Routes {
  readonly calls: RouteCall[];
}

/** One route, `default`, that answers what it is told to, in turn, and keeps the calls it saw. */
export function scriptedRoutes(
  outcomes: readonly RouteOutcome[],
  deltas: readonly string[] = [],
): ScriptedRoutes {
  const calls: RouteCall[] = [];
  const next = (call: RouteCall): RouteOutcome => {
    calls.push(call);
    const outcome = outcomes[calls.length - 1];
    if (outcome === undefined) throw new Error(`the script has no outcome for call ${calls.length}`);
    return outcome;
  };
  const route = {
    name: 'default',
    targets: [{ provider: 'scripted', model: 'model-a', weight: 1, order: 1 }],
    generate: async (call: RouteCall) => next(call),
    stream: async function* (call: RouteCall): AsyncGenerator<RouteStreamEvent> {
      const outcome = next(call);
      for (const text of deltas) yield { kind: 'text', text };
      yield { kind: 'outcome', outcome };
    },
  };
  return {
    calls,
    get: (name) => {
      if (name !== 'default') throw new AppError('route_not_found', `no route "${name}"; known: default`);
      return route;
    },
    names: () => ['default'],
    health: () => [],
    close: async () => {},
  };
}
