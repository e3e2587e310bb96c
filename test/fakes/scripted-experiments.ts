import {
  type Assignment,
  createSelector,
  createUnitAssigner,
  type Experiment,
  type LabelEvent,
  type LabelTarget,
  type LabelView,
  NO_GATE,
  type PolicySnapshot,
  type Selector,
} from '../../src/experiments/index.ts';
import { AppError, type Clock } from '../../src/kernel/index.ts';
import { fixedClock } from './fixed-clock.ts';

/** Prompt → label → target. */
export type ScriptedLabels = Readonly<Record<string, Readonly<Record<string, LabelTarget>>>>;

export function scriptedLabels(labels: ScriptedLabels = {}): LabelView {
  return {
    find: (prompt, label): LabelEvent | null => {
      const to = labels[prompt]?.[label];
      if (to === undefined) return null;
      return {
        sequence: 1,
        prompt,
        label,
        createdAtMs: 0,
        from: null,
        to,
        toHash: null,
        reason: 'scripted',
        actor: 'test',
        seeded: false,
        gate: NO_GATE,
      };
    },
    names: (prompt) => Object.keys(labels[prompt] ?? {}),
    leadingTo: (prompt, name) =>
      Object.entries(labels[prompt] ?? {}).flatMap(([label, to]) =>
        to.kind === 'experiment' && to.experiment === name ? [label] : [],
      ),
  };
}

/** Two arms of `tip`, split evenly for ever; a test states what matters to it. */
export function experiment(changes: Partial<Experiment> = {}): Experiment {
  return {
    name: 'tone',
    revision: 'sha256:one',
    prompt: 'tip',
    arms: [
      { name: 'control', version: 'v1', weight: 1 },
      { name: 'warm', version: 'v2', weight: 1 },
    ],
    baseline: 'control',
    policy: { kind: 'fixed', epsilon: 0, beta: 0, floor: 0.05, discount: 1, updateIntervalMs: 60_000 },
    unit: 'user_id',
    metric: 'completed',
    salt: 'tone',
    startMs: null,
    stopMs: null,
    graceMs: 3_600_000,
    guardrails: [],
    guardrailIntervalMs: 30_000,
    ...changes,
  };
}

export function policySnapshot(
  propensities: Readonly<Record<string, number>>,
  changes: Partial<PolicySnapshot> = {},
): PolicySnapshot {
  return {
    experiment: 'tone',
    revision: 'tone-1',
    sequence: 1,
    experimentRevision: 'sha256:one',
    policy: 'fixed',
    computedAtMs: 0,
    propensities,
    posteriors: {},
    ...changes,
  };
}

export interface ScriptedSelector extends Selector {
  /** What the store of assignments was asked, as `experiment kind unit`. */
  readonly lookUps: string[];
  /** What it holds, by the same text. */
  readonly stored: Map<string, Assignment>;
  /** The next look-up fails with `storage_unavailable`. */
  failOnce(): void;
  snapshot: PolicySnapshot;
}

/** The real selection over scripted labels, assignments and snapshots. */
export function scriptedSelector(
  options: {
    readonly labels?: ScriptedLabels;
    readonly experiments?: readonly Experiment[];
    readonly clock?: Clock;
    readonly maxRemembered?: number;
  } = {},
): ScriptedSelector {
  const { labels = {}, experiments = [], clock = fixedClock(), maxRemembered = 100 } = options;
  let failing = false;
  const lookUps: string[] = [];
  const stored = new Map<string, Assignment>();
  const snapshots = { current: () => scripted.snapshot };
  const assigner = createUnitAssigner({
    assignments: {
      findAssignment: async (name, unitKind, unitKey) => {
        const key = `${name} ${unitKind} ${unitKey}`;
        lookUps.push(key);
        if (failing) {
          failing = false;
          throw new AppError('storage_unavailable', 'the reader is gone');
        }
        return stored.get(key) ?? null;
      },
    },
    snapshots,
    clock,
    maxRemembered,
  });
  const selector = createSelector({
    labels: scriptedLabels(labels),
    experiments: () => experiments,
    assigner,
    snapshots,
    clock,
  });
  const scripted: ScriptedSelector = {
    select: selector.select,
    lookUps,
    stored,
    failOnce: () => {
      failing = true;
    },
    snapshot: policySnapshot({ control: 0.5, warm: 0.5 }),
  };
  return scripted;
}
