import type { GatewayConfig } from '../config/index.ts';
import { AppError, type Clock, errorCode, type Ids } from '../kernel/index.ts';
import type { PromptRegistry } from '../prompts/index.ts';
import type { Experiment } from './experiment-types.ts';
import type { LabelTarget } from './label-types.ts';
import { describeTarget } from './labels-target.ts';
import {
  closedText,
  findingOf,
  gateOfLabel,
  gateOfPolicy,
  gateTarget,
  type PolicyGate,
  type PromptGate,
} from './rollout-gate.ts';
import type { RolloutHistory } from './rollout-history.ts';
import {
  type GateEvidence,
  type GateFinding,
  type GateTarget,
  type LiveVersion,
  NO_GATE,
  type RolloutEvent,
} from './rollout-types.ts';

export type RolloutGatesConfig = GatewayConfig['rollout_gates'];

export interface RolloutGatesOptions {
  readonly gates: () => RolloutGatesConfig;
  readonly evidence: GateEvidence;
  readonly history: RolloutHistory;
  readonly registry: () => PromptRegistry;
  readonly experiments: () => readonly Experiment[];
  readonly ids: Ids;
  readonly clock: Clock;
}

export interface GatedMove {
  readonly prompt: string;
  /** Without the `@`. */
  readonly label: string;
  readonly from: LabelTarget | null;
  readonly to: LabelTarget;
  readonly seeded: boolean;
  /** Why it shall pass a closed gate; null: it shall not. */
  readonly overrideReason: string | null;
  readonly reason: string;
  readonly actor: string;
}

/** Decides what may reach users. */
export interface RolloutGates {
  /**
   * What the gate of a label says to a move. Fails with `rollout_gate_closed` (details: every condition with what it
   * requires and has), which is kept in the history, and with `storage_unavailable` when nobody can say.
   */
  admitMove(
    move: GatedMove,
  ): Promise<{ readonly finding: GateFinding; readonly live: readonly LiveVersion[] }>;
  /** What the gates of the labels say to a definition that their calls would be assigned by. Fails like the evidence. */
  assessExperiment(
    experiment: Experiment,
    labels: readonly string[],
    gates: RolloutGatesConfig,
  ): Promise<GateFinding>;
  /** The same of a policy of scores. */
  assessPolicy(
    policy: { readonly name: string; readonly revision: string },
    gates: RolloutGatesConfig,
  ): Promise<GateFinding>;
  /** The versions that a label leads users to with this target. */
  liveVersions(prompt: string, label: string, versions: readonly string[]): readonly LiveVersion[];
  /** Keeps what is neither a move nor a refusal of one. */
  record(event: Omit<RolloutEvent, 'sequence' | 'id' | 'createdAtMs'>): Promise<RolloutEvent>;
}

export function createRolloutGates(options: RolloutGatesOptions): RolloutGates {
  const { evidence, history, registry, ids, clock } = options;

  const liveVersions: RolloutGates['liveVersions'] = (prompt, label, versions) => {
    const family = registry().prompts.find(({ name }) => name === prompt);
    return [...new Set(versions)].flatMap((version) => {
      const found = family?.versions.find((candidate) => candidate.version === version);
      return found === undefined ? [] : [{ prompt, label, version, hash: found.hash }];
    });
  };

  const assessVersions = async (
    gate: PromptGate,
    versions: readonly LiveVersion[],
  ): Promise<readonly GateTarget[]> =>
    Promise.all(
      versions.map(async (version): Promise<GateTarget> => {
        if (history.wasLive(version)) {
          return { promptVersion: version.version, definition: null, state: 'exempt', conditions: [] };
        }
        return gateTarget(gate, version, evidence, clock.nowMs());
      }),
    );

  const record: RolloutGates['record'] = (event) =>
    history.append({ ...event, id: ids.next('rol'), createdAtMs: clock.nowMs() });

  const versionsOf = (to: LabelTarget): readonly string[] => {
    if (to.kind === 'version') return [to.version];
    const experiment = options.experiments().find(({ name }) => name === to.experiment);
    return experiment?.arms.map((arm) => arm.version) ?? [];
  };

  const overridden = (finding: GateFinding, overrideReason: string): GateFinding =>
    finding.state === 'closed' ? { ...finding, state: 'overridden', overrideReason } : finding;

  return {
    liveVersions,
    record,
    admitMove: async (move) => {
      const { prompt, label, to, overrideReason } = move;
      const live = liveVersions(prompt, label, versionsOf(to));
      const gate = gateOfLabel(options.gates(), prompt, label);
      if (gate === null) return { finding: NO_GATE, live };
      if (move.seeded) return { finding: findingOf([]), live };
      await history.catchUp().catch(() => undefined);
      let finding: GateFinding;
      try {
        finding = findingOf(await assessVersions(gate, live));
      } catch (error) {
        if (overrideReason === null) throw unreadable(error);
        const targets = live.map(({ version }): GateTarget => {
          return { promptVersion: version, definition: null, state: 'unread', conditions: [] };
        });
        return { finding: { state: 'overridden', overrideReason, targets }, live };
      }
      if (overrideReason !== null) return { finding: overridden(finding, overrideReason), live };
      if (finding.state !== 'closed') return { finding, live };
      await record({
        subjectKind: 'label',
        subject: `${prompt}@${label}`,
        from: move.from === null ? null : describeTarget(move.from),
        to: describeTarget(to),
        revision: null,
        decision: 'refused',
        reason: move.reason,
        actor: move.actor,
        gate: finding,
        live: [],
        facts: null,
      });
      throw gateClosed(move, finding);
    },
    assessExperiment: async (experiment, labels, gates) => {
      const versions = experiment.arms.map((arm) => arm.version);
      const findings = await Promise.all(
        labels.map(async (label) => {
          const gate = gateOfLabel(gates, experiment.prompt, label);
          return gate === null
            ? null
            : assessVersions(gate, liveVersions(experiment.prompt, label, versions));
        }),
      );
      const targets = findings.flatMap((found) => found ?? []);
      if (findings.every((found) => found === null)) return NO_GATE;
      const finding = findingOf(targets);
      const override = gates.overrides.find(
        (candidate) => candidate.experiment === experiment.name && candidate.revision === experiment.revision,
      );
      return override === undefined ? finding : overridden(finding, override.reason);
    },
    assessPolicy: async ({ name, revision }, gates) => {
      const gate: PolicyGate | null = gateOfPolicy(gates, name);
      if (gate === null) return NO_GATE;
      // The first definition of all replaces nothing that users had.
      if (history.definition('policy', name) === null || history.wasInForce('policy', name, revision)) {
        return findingOf([]);
      }
      const finding = findingOf([await gateTarget(gate, { definition: revision }, evidence, clock.nowMs())]);
      const override = gates.overrides.find(
        (candidate) => candidate.policy === name && candidate.revision === revision,
      );
      return override === undefined ? finding : overridden(finding, override.reason);
    },
  };
}

/** A gate that nobody can look at is closed. */
function unreadable(error: unknown): unknown {
  if (errorCode(error) !== 'storage_unavailable') return error;
  return new AppError(
    'storage_unavailable',
    'The rollout gate cannot be checked now, and counts as closed: try again, or move with "override": {"reason": "…"}.',
    { cause: error, ...(error instanceof AppError && { retryAfterMs: error.retryAfterMs ?? 1_000 }) },
  );
}

function gateClosed({ prompt, label, to }: GatedMove, finding: GateFinding): AppError {
  const message =
    `The rollout gate of prompt "${prompt}" is closed for @${label} to ${describeTarget(to)}: ${closedText(finding)}. ` +
    'Run it in shadow (section "shadow" of the configuration) until it holds, or send "override": {"reason": "…"}.';
  return new AppError('rollout_gate_closed', message, {
    details: {
      prompt,
      label,
      gate: gateFacts(finding),
      shadow: `GET /analytics/shadow shows the runs; the conditions are rollout_gates.prompts.${prompt}`,
      override: { override: { reason: 'why users shall get it before it has been shown in shadow' } },
    },
  });
}

/** A finding as the wire and the ledger show it. */
export function gateFacts({ state, overrideReason, targets }: GateFinding) {
  return {
    state,
    override_reason: overrideReason,
    targets: targets.map((target) => ({
      prompt_version: target.promptVersion,
      definition: target.definition,
      state: target.state,
      conditions: target.conditions,
    })),
  };
}
