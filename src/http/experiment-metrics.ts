import { Gauge, type Registry } from 'prom-client';
import type { Experiment, ExperimentStops } from '../experiments/index.ts';

export interface ExperimentStates {
  readonly experiments: () => readonly Experiment[];
  readonly stops: Pick<ExperimentStops, 'find' | 'alarm'>;
}

/** What stands still, or must not be read: alarms of an operator hang on these. */
export function sampleExperiments(registry: Registry, { experiments, stops }: ExperimentStates): void {
  const registers = [registry];
  new Gauge({
    name: 'gateway_experiment_stopped',
    help: '1 while a guardrail, or an admin (guardrail "none"), has stopped the experiment: every call gets its baseline.',
    labelNames: ['experiment', 'guardrail'] as const,
    registers,
    collect() {
      this.reset();
      for (const experiment of experiments()) {
        const stop = stops.find(experiment);
        if (stop !== null) this.labels(experiment.name, stop.guardrail ?? 'none').set(1);
      }
    },
  });
  new Gauge({
    name: 'gateway_experiment_assignment_broken',
    help: '1 once the units of the experiment did not arrive as the logged propensities say: its rewards must not be read.',
    labelNames: ['experiment'] as const,
    registers,
    collect() {
      this.reset();
      for (const experiment of experiments()) {
        this.labels(experiment.name).set(stops.alarm(experiment) === null ? 0 : 1);
      }
    },
  });
}
