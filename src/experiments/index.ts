export { createUnitAssigner } from './assign-unit.ts';
export { checkConfigured } from './check-configured.ts';
export { type CheckedExperiment, checkExperiments, type PlacedLabel } from './check-experiments.ts';
export { type DefaultTarget, defaultTarget } from './default-target.ts';
export { defaultVersionWarnings } from './default-version-warnings.ts';
export { createExperimentStops, type ExperimentStop, type ExperimentStops } from './experiment-stops.ts';
export type {
  Arm,
  Assignment,
  AssignmentStore,
  Experiment,
  Guardrail,
  PolicyKind,
  PolicySnapshot,
  PolicySnapshotStore,
} from './experiment-types.ts';
export { createExperimentsInForce, type ExperimentsInForce } from './experiments-in-force.ts';
export {
  type ExperimentHealth,
  type GuardrailArm,
  type GuardrailFinding,
  guardrailKey,
} from './guardrail-types.ts';
export { createGuardrailWatch } from './guardrail-watch.ts';
export type { LabelEvent, LabelEventStore, LabelMove, LabelTarget, LabelView } from './label-types.ts';
export { createLabels, type Labels } from './labels.ts';
export { experimentWarnings, loadExperiments } from './load-experiments.ts';
export { createPolicyRunner, type PolicyRunner } from './policy-runner.ts';
export { rewardRange } from './reward-scale.ts';
export { createDefinitionGates, type RolloutDefinitions } from './rollout-definitions.ts';
export { gatedPromptFaults } from './rollout-gate.ts';
export { createRolloutGates, gateFacts, type RolloutGates } from './rollout-gates.ts';
export { createRolloutHistory, type RolloutHistory } from './rollout-history.ts';
export {
  type GateFinding,
  type NewRolloutEvent,
  NO_GATE,
  type RolloutEvent,
  type RolloutEventStore,
  type RolloutPageQuery,
} from './rollout-types.ts';
export { createSelector, type Selection, type Selector } from './select-version.ts';
