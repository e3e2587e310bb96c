import type { ConfigStore } from '../config/index.ts';
import type { Fault } from '../kernel/index.ts';
import type { PromptRegistry } from '../prompts/index.ts';
import { experimentChanges } from './experiment-changes.ts';
import type { Experiment } from './experiment-types.ts';
import type { LabelView } from './label-types.ts';
import { loadExperiments } from './load-experiments.ts';
import type { PolicyRunner } from './policy-runner.ts';

/** The experiments as this process runs them. */
export interface ExperimentsInForce {
  current(): readonly Experiment[];
  /** Names of a prompt's experiments. */
  namesOf(prompt: string): readonly string[];
  /** Makes them follow every reload of the configuration from now on. */
  follow(parts: { readonly labels: LabelView; readonly policies: Pick<PolicyRunner, 'prepare'> }): void;
}

/** Those of the configuration at the start. Fails with `config_invalid`, all faults at once. */
export function createExperimentsInForce(
  store: ConfigStore,
  registry: () => PromptRegistry,
): ExperimentsInForce {
  let inForce = loadExperiments(store.current().config, registry());
  return {
    current: () => inForce,
    namesOf: (prompt) => inForce.filter((experiment) => experiment.prompt === prompt).map(({ name }) => name),
    follow: ({ labels, policies }) => {
      // What loading fails with are the faults of the check.
      store.addCheck(async (next) =>
        pointedToFaults(loadExperiments(next.config, registry()), inForce, labels),
      );
      // A label may have moved while checks and preparations took their time.
      store.addLastCheck((next) =>
        pointedToFaults(loadExperiments(next.config, registry()), inForce, labels),
      );
      store.addWarning((next) => experimentChanges(loadExperiments(next.config, registry()), inForce));
      store.addPreparation(async (next) => {
        const experiments = loadExperiments(next.config, registry());
        const startPolicies = await policies.prepare(experiments);
        return () => {
          inForce = experiments;
          startPolicies();
        };
      });
    },
  };
}

/** An experiment that a label points to cannot go: every call by the label would fail. */
function pointedToFaults(
  next: readonly Experiment[],
  current: readonly Experiment[],
  labels: LabelView,
): readonly Fault[] {
  const gone = current.filter(
    ({ name, prompt }) => !next.some((other) => other.name === name && other.prompt === prompt),
  );
  return gone.flatMap(({ name, prompt }) =>
    labels.leadingTo(prompt, name).map((label) => {
      const other = next.find((candidate) => candidate.name === name);
      const what =
        other === undefined ? 'is gone' : `compares versions of "${other.prompt}" instead of "${prompt}"`;
      const message = `${what}, but label ${prompt}@${label} still points to it: its calls would fail. Move the label first (PUT /prompts/${prompt}/labels/${label}), then save the file again or send SIGHUP`;
      return { path: `experiments.${name}`, message };
    }),
  );
}
