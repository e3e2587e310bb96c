import { AppError, type Clock } from '../kernel/index.ts';
import { assignmentBucket, chooseByWeights } from '../statistics/index.ts';
import type { Assignment, AssignmentStore, Experiment, PolicySnapshot } from './experiment-types.ts';

/** Assignments held in memory, about 400 bytes each; the others are asked for again. */
const MAX_REMEMBERED = 50_000;

export interface UnitAssignerOptions {
  readonly assignments: AssignmentStore;
  readonly snapshots: { current(experiment: string): PolicySnapshot };
  readonly clock: Clock;
  readonly maxRemembered?: number;
}

/** Gives every unit an arm, once. */
export interface UnitAssigner {
  /**
   * The unit's assignment: the stored one, else a new one by the snapshot in force. A new one is stored with the first
   * generation of the unit. Fails with `storage_unavailable` when nobody can say whether the unit has one.
   */
  assign(experiment: Experiment, unitKey: string): Promise<Assignment>;
}

export function createUnitAssigner(options: UnitAssignerOptions): UnitAssigner {
  const { assignments, snapshots, clock, maxRemembered = MAX_REMEMBERED } = options;
  // Promises, so that concurrent first calls of one unit share one decision. Oldest use first.
  const remembered = new Map<string, Promise<Assignment>>();

  const decide = async (experiment: Experiment, unitKey: string): Promise<Assignment> => {
    // Before the look-up: a reload meanwhile must not bring the snapshot of another definition.
    const snapshot = snapshots.current(experiment.name);
    const stored = await assignments.findAssignment(experiment.name, experiment.unit, unitKey);
    return stored ?? newAssignment(experiment, unitKey, snapshot, clock.nowMs());
  };

  return {
    assign: (experiment, unitKey) => {
      const key = `${experiment.name} ${experiment.unit} ${unitKey}`;
      const known = remembered.get(key);
      const assignment = known ?? decide(experiment, unitKey);
      remembered.delete(key);
      remembered.set(key, assignment);
      if (known === undefined) {
        assignment.catch(() => {
          // What failed is asked for again by the next call.
          if (remembered.get(key) === assignment) remembered.delete(key);
        });
        if (remembered.size > maxRemembered) {
          for (const oldest of remembered.keys()) {
            remembered.delete(oldest);
            break;
          }
        }
      }
      return assignment;
    },
  };
}

/** The arm in whose share of the snapshot the unit's hash lies. */
export function newAssignment(
  experiment: Experiment,
  unitKey: string,
  snapshot: PolicySnapshot,
  nowMs: number,
): Assignment {
  const bucket = assignmentBucket(experiment.salt, unitKey);
  const weights = experiment.arms.map((arm) => snapshot.propensities[arm.name] ?? 0);
  const arm = bucket === null ? undefined : experiment.arms[chooseByWeights(bucket, weights) ?? -1];
  if (arm === undefined) throw new AppError('internal', `no arm of "${experiment.name}" holds the unit`);
  return {
    experiment: experiment.name,
    experimentRevision: experiment.revision,
    unitKind: experiment.unit,
    unitKey,
    arm: arm.name,
    propensity: snapshot.propensities[arm.name] ?? 0,
    propensities: snapshot.propensities,
    policyRevision: snapshot.revision,
    assignedAtMs: nowMs,
  };
}
