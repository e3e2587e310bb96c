export { createUnitAssigner } from './assign-unit.ts';
export { defaultVersionWarnings } from './default-version-warnings.ts';
export type {
  Arm,
  Assignment,
  AssignmentStore,
  Experiment,
  PolicyKind,
  PolicySnapshot,
  PolicySnapshotStore,
} from './experiment-types.ts';
export type { LabelEvent, LabelEventStore, LabelMove, LabelTarget, LabelView } from './label-types.ts';
export { createLabels, type Labels } from './labels.ts';
export { experimentWarnings, loadExperiments } from './load-experiments.ts';
export { createPolicyRunner } from './policy-runner.ts';
export { createSelector, type Selection, type Selector } from './select-version.ts';
