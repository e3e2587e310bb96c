import type { GatewayConfig } from '../config/index.ts';
import { type Fault, HOUR_MS, listNames, nearestName } from '../kernel/index.ts';
import type { PromptRegistry } from '../prompts/index.ts';
import type { GateCondition, GateEvidence, GateFinding, GateTarget, GateTotals } from './rollout-types.ts';

type RolloutGates = GatewayConfig['rollout_gates'];
export type PromptGate = RolloutGates['prompts'][string];
export type PolicyGate = RolloutGates['policies'][string];

/** The gate of a label; null: none guards it. */
export function gateOfLabel(gates: RolloutGates, prompt: string, label: string): PromptGate | null {
  const gate = Object.hasOwn(gates.prompts, prompt) ? gates.prompts[prompt] : undefined;
  return gate === undefined || gate.labels?.includes(label) === false ? null : gate;
}

export function gateOfPolicy(gates: RolloutGates, policy: string): PolicyGate | null {
  return (Object.hasOwn(gates.policies, policy) ? gates.policies[policy] : undefined) ?? null;
}

/** Gates of prompts that do not exist: a misspelt one would guard nothing, and nobody would notice. */
export function gatedPromptFaults(gates: RolloutGates, registry: PromptRegistry): readonly Fault[] {
  const known = registry.prompts.map(({ name }) => name);
  return Object.keys(gates.prompts).flatMap((prompt) => {
    if (known.includes(prompt)) return [];
    const nearest = nearestName(prompt, known);
    const hint = nearest === null ? `; known: ${listNames(known)}` : ` (did you mean "${nearest}"?)`;
    return [{ path: `rollout_gates.prompts.${prompt}`, message: `there is no prompt "${prompt}"${hint}` }];
  });
}

/** Every condition of the gate against what shadow runs say. What they do not say does not hold. */
function gateConditions(gate: PromptGate | PolicyGate, totals: GateTotals): readonly GateCondition[] {
  const share = (count: number): number | null => (totals.runs === 0 ? null : count / totals.runs);
  const most: readonly (readonly [condition: string, limit: number | undefined, actual: number | null])[] = [
    ['max_error_rate', gate.max_error_rate, share(totals.errors)],
    ['max_error_rate_increase', gate.max_error_rate_increase, share(totals.errors - totals.liveErrors)],
    [
      'max_schema_failure_rate',
      'max_schema_failure_rate' in gate ? gate.max_schema_failure_rate : undefined,
      share(totals.schemaFailures),
    ],
    ['max_latency_ratio', gate.max_latency_ratio, totals.latencyRatio],
    ['max_cost_ratio', 'max_cost_ratio' in gate ? gate.max_cost_ratio : undefined, totals.costRatio],
  ];
  const runs = {
    condition: 'min_shadow_runs',
    required: gate.min_shadow_runs,
    actual: totals.runs,
    holds: totals.runs >= gate.min_shadow_runs,
  };
  return [
    runs,
    ...most.flatMap(([condition, required, actual]) =>
      required === undefined
        ? []
        : [{ condition, required, actual, holds: actual !== null && actual <= required }],
    ),
  ];
}

/** Asks the shadow runs of one version of a prompt, or of one definition of a policy. Fails as the evidence does. */
export async function gateTarget(
  gate: PromptGate | PolicyGate,
  target: { readonly prompt: string; readonly version: string } | { readonly definition: string },
  evidence: GateEvidence,
  nowMs: number,
): Promise<GateTarget> {
  const sinceMs = nowMs - gate.window_hours * HOUR_MS;
  const isVersion = 'version' in target;
  const totals = await evidence.totals(
    isVersion
      ? { prompt: target.prompt, version: target.version, sinceMs }
      : { prompt: null, version: null, policyDefinition: target.definition, sinceMs },
  );
  const conditions = gateConditions(gate, totals);
  return {
    promptVersion: isVersion ? target.version : null,
    definition: isVersion ? null : target.definition,
    state: conditions.every(({ holds }) => holds) ? 'held' : 'closed',
    conditions,
  };
}

/** What all targets together come to. */
export function findingOf(targets: readonly GateTarget[]): GateFinding {
  const states = targets.map(({ state }) => state);
  const state = states.includes('closed') ? 'closed' : states.includes('held') ? 'held' : 'exempt';
  return { state, overrideReason: null, targets };
}

/** `version v3 needs min_shadow_runs 200 and has 12; max_error_rate 0.02 and has 0.05`. */
export function closedText({ targets }: GateFinding): string {
  return targets
    .filter(({ state }) => state === 'closed')
    .map(({ promptVersion, definition, conditions }) => {
      const what = promptVersion === null ? `definition ${definition}` : `version ${promptVersion}`;
      const open = conditions
        .filter(({ holds }) => !holds)
        .map(({ condition, required, actual }) => `${condition} ${required} and has ${shown(actual)}`);
      return `${what} needs ${open.join(', ')}`;
    })
    .join('; ');
}

function shown(actual: number | null): string {
  if (actual === null) return 'no number yet';
  return String(Number(actual.toPrecision(4)));
}
