import { suggestion } from './config-fault.ts';
import type { JsonPath } from './json-document.ts';
import { ERROR_RATE } from './rollout-schema.ts';
import type { GatewayConfig } from './schema.ts';
import type { PathFault } from './schema-fault.ts';

type Guardrail = GatewayConfig['experiments'][string]['guardrails'][number];

/** Names as written, by section; null when nothing is known of them. */
interface DeclaredNames {
  readonly experiments: readonly string[] | null;
  readonly policies: readonly string[] | null;
  readonly metrics: readonly string[] | null;
}

/** What the schemas of `rollout_gates` and `guardrails` cannot say. */
export function rolloutFaults(config: GatewayConfig, declared: DeclaredNames): readonly PathFault[] {
  return [
    ...Object.keys(config.rollout_gates.policies).flatMap((policy) =>
      unknownName(['rollout_gates', 'policies', policy], policy, declared.policies, 'policy'),
    ),
    ...config.rollout_gates.overrides.flatMap((override, index) => overrideFaults(index, override, declared)),
    ...Object.entries(config.experiments).flatMap(([name, { guardrails }]) =>
      guardrails.flatMap((guardrail, index) =>
        guardrailFaults(
          ['experiments', name, 'guardrails', index],
          guardrail,
          guardrails.slice(0, index),
          declared,
        ),
      ),
    ),
  ];
}

function overrideFaults(
  index: number,
  { experiment, policy }: GatewayConfig['rollout_gates']['overrides'][number],
  declared: DeclaredNames,
): readonly PathFault[] {
  const path = ['rollout_gates', 'overrides', index];
  if ((experiment === undefined) === (policy === undefined)) {
    return [{ path, message: 'names either "experiment" or "policy"' }];
  }
  return experiment === undefined
    ? unknownName([...path, 'policy'], policy ?? '', declared.policies, 'policy')
    : unknownName([...path, 'experiment'], experiment, declared.experiments, 'experiment');
}

function guardrailFaults(
  path: JsonPath,
  guardrail: Guardrail,
  earlier: readonly Guardrail[],
  { metrics }: DeclaredNames,
): readonly PathFault[] {
  const { metric, max_loss, max_increase } = guardrail;
  if (earlier.some((known) => known.metric === metric)) {
    return [{ path: [...path, 'metric'], message: `"${metric}" has a guardrail already: write one of them` }];
  }
  if (metric === ERROR_RATE) {
    const isRight = max_increase !== undefined && max_loss === undefined;
    return isRight ? [] : [{ path, message: `"${ERROR_RATE}" takes "max_increase", and nothing else` }];
  }
  const known = metrics === null ? null : [...metrics, ERROR_RATE];
  const unknown = unknownName([...path, 'metric'], metric, known, 'metric');
  if (unknown.length > 0) return unknown;
  const isRight = max_loss !== undefined && max_increase === undefined;
  return isRight
    ? []
    : [{ path, message: `a metric takes "max_loss"; "max_increase" is for "${ERROR_RATE}"` }];
}

function unknownName(
  path: JsonPath,
  name: string,
  known: readonly string[] | null,
  noun: string,
): readonly PathFault[] {
  if (known === null || known.includes(name)) return [];
  const names = noun === 'policy' ? 'declared policies' : `declared ${noun}s`;
  return [{ path, message: `no ${noun} is named "${name}"${suggestion(name, known, names)}` }];
}
