import { AppError, type Fault } from '../kernel/index.ts';
import type { Experiment } from './experiment-types.ts';
import type { LabelView } from './label-types.ts';
import { closedText } from './rollout-gate.ts';
import type { RolloutGates, RolloutGatesConfig } from './rollout-gates.ts';
import type { RolloutHistory } from './rollout-history.ts';
import { type GateFinding, NO_GATE, type RolloutDecision, type RolloutSubject } from './rollout-types.ts';

/** What a configuration would bring into force, or has. */
export interface RolloutDefinitions {
  readonly experiments: readonly Experiment[];
  /** Policies of scores. */
  readonly policies: readonly { readonly name: string; readonly revision: string }[];
  readonly gates: RolloutGatesConfig;
}

/** Holds the definitions of experiments and policies to the gates of what they would lead users to. */
export interface DefinitionGates {
  /**
   * One fault for each definition whose gate is closed, with what it lacks and how to let it pass; kept in the history.
   * Fails with `storage_unavailable` when nobody can say.
   */
  check(next: RolloutDefinitions): Promise<readonly Fault[]>;
  /**
   * Keeps which definitions are in force from now on. Fails with `config_invalid` when a gate has closed since the check
   * (a label moved meanwhile), and with `storage_unavailable`.
   */
  adopt(next: RolloutDefinitions): Promise<void>;
}

export interface DefinitionGatesOptions {
  readonly gates: RolloutGates;
  readonly history: RolloutHistory;
  readonly labels: LabelView;
}

/** A definition that differs from the one in force. */
interface Change {
  readonly kind: Exclude<RolloutSubject, 'label'>;
  readonly name: string;
  readonly from: string | null;
  readonly to: string;
  readonly path: string;
  /** Labels whose calls are assigned by it. */
  readonly labels: readonly string[];
  readonly experiment: Experiment | null;
}

/** Actor of what the configuration brings. */
const CONFIG_ACTOR = 'config';

export function createDefinitionGates({ gates, history, labels }: DefinitionGatesOptions): DefinitionGates {
  const changesOf = ({ experiments, policies }: RolloutDefinitions): readonly Change[] =>
    [
      ...experiments.map((experiment): Change => {
        const { name, prompt, revision } = experiment;
        return {
          kind: 'experiment',
          name,
          from: history.definition('experiment', name),
          to: revision,
          path: `experiments.${name}`,
          labels: labels.names(prompt).filter((label) => {
            const to = labels.find(prompt, label)?.to;
            return to?.kind === 'experiment' && to.experiment === name;
          }),
          experiment,
        };
      }),
      ...policies.map(({ name, revision }): Change => {
        const from = history.definition('policy', name);
        const path = `policies.${name}`;
        return { kind: 'policy', name, from, to: revision, path, labels: [], experiment: null };
      }),
    ].filter(({ from, to }) => from !== to);

  const findingOf = async (change: Change, next: RolloutDefinitions): Promise<GateFinding> => {
    if (change.experiment === null) {
      return gates.assessPolicy({ name: change.name, revision: change.to }, next.gates);
    }
    // The first definition of all came before anybody kept a history, or leads nobody anywhere yet.
    if (change.from === null) return NO_GATE;
    return gates.assessExperiment(change.experiment, change.labels, next.gates);
  };

  const record = (change: Change, decision: RolloutDecision, gate: GateFinding): Promise<unknown> => {
    const { kind, name, from, to, experiment } = change;
    const versions = experiment?.arms.map((arm) => arm.version) ?? [];
    const live =
      experiment === null || decision === 'refused'
        ? []
        : change.labels.flatMap((label) => gates.liveVersions(experiment.prompt, label, versions));
    const reason =
      gate.overrideReason ?? (from === null ? 'first definition' : 'changed in the configuration');
    return gates.record({
      subjectKind: kind,
      subject: name,
      from,
      to,
      revision: to,
      decision,
      reason,
      actor: CONFIG_ACTOR,
      gate,
      live,
      facts: null,
    });
  };

  return {
    check: async (next) => {
      await history.catchUp();
      const faults: Fault[] = [];
      for (const change of changesOf(next)) {
        const finding = await findingOf(change, next);
        if (finding.state !== 'closed') continue;
        faults.push({ path: change.path, message: refusalText(change, finding) });
        await record(change, 'refused', finding);
      }
      return faults;
    },
    adopt: async (next) => {
      for (const change of changesOf(next)) {
        const finding = await findingOf(change, next);
        if (finding.state === 'closed') {
          const fault = { path: change.path, message: refusalText(change, finding) };
          throw new AppError('config_invalid', `${change.path}: ${fault.message}`, { faults: [fault] });
        }
        await record(change, decisionOf(finding), finding);
      }
    },
  };
}

function decisionOf({ state }: GateFinding): RolloutDecision {
  return state === 'overridden' || state === 'exempt' ? state : 'allowed';
}

function refusalText({ kind, name, to, labels }: Change, finding: GateFinding): string {
  const users = labels.length === 0 ? '' : ` for ${labels.map((label) => `@${label}`).join(', ')}`;
  const override = JSON.stringify({ [kind]: name, revision: to, reason: '…' });
  return (
    `the rollout gate of this change is closed${users}: ${closedText(finding)}. Take the change back and run it in shadow ` +
    `(section "shadow") until it holds, or add to rollout_gates.overrides: ${override}`
  );
}
