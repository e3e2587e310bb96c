import type { GatewayConfig } from '../config/index.ts';
import { AppError, type Fault } from '../kernel/index.ts';
import type { PromptRegistry } from '../prompts/index.ts';
import { checkConfigured } from './check-configured.ts';
import type { Experiment } from './experiment-types.ts';
import type { LabelTarget } from './label-types.ts';
import { toTarget } from './labels-seed.ts';
import { targetHash } from './labels-target.ts';
import { loadExperiments } from './load-experiments.ts';

/** Where a label points by now: in the ledger, or by its first value where it has never been moved. */
export interface PlacedLabel {
  readonly prompt: string;
  readonly label: string;
  readonly to: LabelTarget;
}

export interface CheckedExperiment {
  readonly experiment: Experiment;
  readonly state: 'not_started' | 'running' | 'over';
  /** Labels that lead calls to it, without the `@`. */
  readonly labels: readonly string[];
}

export interface ExperimentsCheck {
  /** Empty when a definition has a fault. */
  readonly experiments: readonly CheckedExperiment[];
  readonly faults: readonly Fault[];
  readonly warnings: readonly Fault[];
}

interface CheckOptions {
  readonly config: GatewayConfig;
  readonly registry: PromptRegistry;
  /** Labels of the ledger. */
  readonly moved: readonly PlacedLabel[];
  readonly nowMs: number;
}

/** The definitions against prompts and metrics, and against where labels point. */
export function checkExperiments(options: CheckOptions): ExperimentsCheck {
  const { config, registry, nowMs } = options;
  const labels = [...options.moved, ...firstValues(options)];
  const { faults: found, warnings } = checkConfigured(config, registry);
  // First values are judged as labels: those that were moved since do not count any more.
  const defined = found.filter(({ path }) => !path.startsWith('labels.'));
  const faults = [...defined, ...labelFaults(options, labels)];
  if (defined.length > 0) return { experiments: [], faults, warnings };
  const experiments = loadExperiments(config, registry).map((experiment) => ({
    experiment,
    state: stateAt(experiment, nowMs),
    labels: labels.filter(({ prompt, to }) => leadsTo(experiment, prompt, to)).map(({ label }) => label),
  }));
  return { experiments, faults, warnings: [...warnings, ...experiments.flatMap(idleWarnings)] };
}

/** First values of labels that have never been moved. */
function firstValues({ config, moved }: CheckOptions): readonly PlacedLabel[] {
  return Object.entries(config.labels).flatMap(([prompt, labels]) =>
    Object.entries(labels)
      .filter(([label]) => !moved.some((each) => each.prompt === prompt && each.label === label))
      .map(([label, value]) => ({ prompt, label, to: toTarget(value) })),
  );
}

/** A label whose target is gone refuses every call by it. */
function labelFaults({ config, registry }: CheckOptions, labels: readonly PlacedLabel[]): readonly Fault[] {
  const known = {
    registry: () => registry,
    experiments: (prompt: string) =>
      Object.entries(config.experiments).flatMap(([name, written]) =>
        written.prompt === prompt ? [name] : [],
      ),
  };
  return labels.flatMap(({ prompt, label, to }) => {
    try {
      targetHash(known, prompt, to);
      return [];
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const message = `${error.message}; calls by @${label} are refused until it is moved`;
      return [{ path: `labels.${prompt}.${label}`, message }];
    }
  });
}

function leadsTo({ name, prompt }: Experiment, labelled: string, to: LabelTarget): boolean {
  return to.kind === 'experiment' && to.experiment === name && labelled === prompt;
}

function stateAt({ startMs, stopMs }: Experiment, nowMs: number): CheckedExperiment['state'] {
  if (startMs !== null && nowMs < startMs) return 'not_started';
  return stopMs !== null && nowMs >= stopMs ? 'over' : 'running';
}

function idleWarnings({ experiment, state, labels }: CheckedExperiment): readonly Fault[] {
  const path = `experiments.${experiment.name}`;
  if (state === 'over') {
    const end = new Date(experiment.stopMs ?? 0).toISOString();
    return labels.map((label) => ({
      path,
      message: `was over at ${end}, and @${label} still points to it: every call by it gets the baseline; move the label to the version that won`,
    }));
  }
  if (labels.length > 0) return [];
  return [
    {
      path,
      message: `assigns nobody: no label of ${experiment.prompt} points to it; move one with \`prompt-gateway labels set ${experiment.prompt} LABEL --experiment ${experiment.name}\``,
    },
  ];
}
