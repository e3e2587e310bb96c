import { suggestion } from './config-fault.ts';
import type { GatewayConfig } from './schema.ts';
import type { PathFault } from './schema-fault.ts';

/** Labels whose first value is an experiment that the file does not declare for their prompt. */
export function labelsFaults(
  config: GatewayConfig,
  declaredExperiments: readonly string[],
): readonly PathFault[] {
  const faults: PathFault[] = [];
  // An experiment may be called like a property every object has.
  const experiments = new Map(Object.entries(config.experiments));
  for (const [prompt, labels] of Object.entries(config.labels)) {
    for (const [label, target] of Object.entries(labels)) {
      if (typeof target === 'string' || !('experiment' in target)) continue;
      const path = ['labels', prompt, label, 'experiment'];
      const experiment = experiments.get(target.experiment);
      if (experiment !== undefined && experiment.prompt !== prompt) {
        const message = `experiment "${target.experiment}" compares versions of prompt "${experiment.prompt}", not of "${prompt}"`;
        faults.push({ path, message });
      } else if (experiment === undefined && !declaredExperiments.includes(target.experiment)) {
        const hint = suggestion(target.experiment, declaredExperiments, 'declared experiments');
        faults.push({ path, message: `no experiment is named "${target.experiment}"${hint}` });
      }
    }
  }
  return faults;
}
