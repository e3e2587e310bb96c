export type {
  Assignment,
  AssignmentStore,
  PolicySnapshot,
  PolicySnapshotStore,
} from './experiment-types.ts';
export type { LabelEvent, LabelEventStore, LabelMove, LabelTarget, LabelView } from './label-types.ts';
export { createLabels, type Labels } from './labels.ts';
export {
  defaultVersionWarnings,
  type Selection,
  selectVersion,
} from './select-version.ts';
