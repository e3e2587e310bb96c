import type { Fault } from '../kernel/index.ts';
import type { Arm, Experiment } from './experiment-types.ts';

/** What a new definition does to those who are assigned already, where it is not what one might think. */
export function experimentChanges(
  next: readonly Experiment[],
  current: readonly Experiment[],
): readonly Fault[] {
  const before = new Map(current.map((experiment) => [experiment.name, experiment]));
  const gone = current.filter(({ name }) => !next.some((experiment) => experiment.name === name));
  return next.flatMap((experiment) => {
    const known = before.get(experiment.name);
    return known === undefined ? renameWarning(experiment, gone) : definitionWarnings(experiment, known);
  });
}

/** A name is all that ties a unit to its arm: the file cannot say that two names mean one experiment. */
function renameWarning(added: Experiment, gone: readonly Experiment[]): readonly Fault[] {
  const twin = gone.find(
    (candidate) => candidate.prompt === added.prompt && versionsOf(candidate) === versionsOf(added),
  );
  if (twin === undefined) return [];
  const message = `is new, and "${twin.name}" with the same versions is gone: a new name is a new experiment, everybody is assigned anew`;
  return [{ path: `experiments.${added.name}`, message }];
}

function definitionWarnings(next: Experiment, before: Experiment): readonly Fault[] {
  const path = `experiments.${next.name}`;
  const warnings: Fault[] = [];
  if (next.prompt !== before.prompt) {
    const message = `was "${before.prompt}" and is "${next.prompt}": who is assigned keeps an arm of another prompt; give the experiment a new name`;
    warnings.push({ path: `${path}.prompt`, message });
  }
  if (next.unit !== before.unit) {
    const message = `was ${before.unit} and is ${next.unit}: another unit makes another experiment, everybody is assigned anew; who was assigned by ${before.unit} counts in the report beside them. Better give the experiment a new name`;
    warnings.push({ path: `${path}.unit`, message });
  }
  if (next.salt !== before.salt) {
    const message = 'changed: new units are shuffled anew; who is assigned stays';
    warnings.push({ path: `${path}.salt`, message });
  }
  return [...warnings, ...before.arms.flatMap((arm) => armWarning(path, arm, next.arms))];
}

function armWarning(path: string, before: Arm, next: readonly Arm[]): readonly Fault[] {
  const found = next.find(({ name }) => name === before.name);
  if (found === undefined) {
    const message = 'was taken out: its units get the baseline and do not count until it is back';
    return [{ path: `${path}.arms.${before.name}`, message }];
  }
  if (found.version === before.version) return [];
  const message = `was "${before.version}" and is "${found.version}": units of this arm get the other version, and rewards of two versions mix; better name a new arm`;
  return [{ path: `${path}.arms.${before.name}.version`, message }];
}

function versionsOf({ arms }: Experiment): string {
  return arms
    .map(({ version }) => version)
    .sort()
    .join(' ');
}
