import type { DefaultPromptVersion } from '../config/index.ts';
import type { Clock } from '../kernel/index.ts';
import type { VersionSource } from '../ledger/index.ts';
import type { PromptRegistry, PromptVersion } from '../prompts/index.ts';
import type { UnitAssigner } from './assign-unit.ts';
import type { Assignment, Experiment, PolicySnapshot } from './experiment-types.ts';
import { namedVersion } from './named-version.ts';
import { type ResolvedWish, resolveWish, type WishParts } from './resolve-wish.ts';

export interface Selection {
  readonly version: PromptVersion;
  readonly source: VersionSource;
  /** The label that led to the version, without the `@`; null when a version was named. */
  readonly label: string | null;
  /** How the experiment behind the label assigned the version; null: the call is part of none. */
  readonly assignment: Assignment | null;
  /** The experiment's snapshot in force at the call; null without an assignment. */
  readonly currentPolicyRevision: string | null;
  /** The experiment that gave the call its baseline and does not count it; null: it counts, or there is none. */
  readonly leftOut: LeftOut | null;
}

export interface LeftOut {
  readonly experiment: string;
  /** The call names no unit · before its start or after its stop · the unit's arm was taken out of the definition. */
  readonly reason: 'no_unit' | 'not_running' | 'arm_removed';
}

export interface SelectionRequest {
  readonly prompt: string;
  /** `prompt_version` of the body; null when it names none. */
  readonly bodyValue: string | null;
  readonly environment: DefaultPromptVersion;
  /** Keyed hash of the call's unit of that kind; null: the call names none. */
  readonly unitKey: (kind: Experiment['unit']) => string | null;
}

export interface SelectorOptions extends WishParts {
  readonly assigner: UnitAssigner;
  readonly snapshots: { current(experiment: string): PolicySnapshot };
  readonly clock: Clock;
}

/** Picks the version of a call. Never substitutes another version than the one asked for or assigned. */
export interface Selector {
  /**
   * Precedence: body, then `DEFAULT_PROMPT_VERSION`, then `v1`; each a version or a label. Fails with
   * `prompt_not_found`, `version_not_found`, `version_retired`, `label_not_found` and `experiment_not_found`, naming the
   * known ones, and with `storage_unavailable` when an experiment cannot look up the unit.
   */
  select(registry: PromptRegistry, request: SelectionRequest): Promise<Selection>;
}

export function createSelector(options: SelectorOptions): Selector {
  const { assigner, snapshots, clock } = options;

  const assignedTo = async (
    experiment: Experiment,
    request: SelectionRequest,
  ): Promise<Assignment | LeftOut['reason']> => {
    if (!isRunning(experiment, clock.nowMs())) return 'not_running';
    const unitKey = request.unitKey(experiment.unit);
    if (unitKey === null) return 'no_unit';
    const assignment = await assigner.assign(experiment, unitKey);
    // An arm that was taken out of the definition has nothing to serve any more.
    return experiment.arms.some((arm) => arm.name === assignment.arm) ? assignment : 'arm_removed';
  };

  return {
    select: async (registry, request) => {
      const family = registry.family(request.prompt);
      const wish: ResolvedWish = resolveWish(family, request, options);
      const { source, label } = wish;
      const base = { source, label, assignment: null, currentPolicyRevision: null, leftOut: null };
      if (wish.kind === 'version') return { ...base, version: wish.version };
      const { experiment } = wish;
      const { name } = experiment;
      // In the same turn as the definition: a reload changes both at once.
      const { revision } = snapshots.current(name);
      const assigned = await assignedTo(experiment, request);
      const armName = typeof assigned === 'string' ? experiment.baseline : assigned.arm;
      const arm = experiment.arms.find((candidate) => candidate.name === armName);
      const through = `arm "${armName}" of experiment "${name}"`;
      const version = namedVersion(family, { version: arm?.version ?? '', source, through });
      if (typeof assigned === 'string') {
        return { ...base, version, leftOut: { experiment: name, reason: assigned } };
      }
      return {
        ...base,
        version,
        assignment: assigned,
        currentPolicyRevision: revision,
      };
    },
  };
}

function isRunning({ startMs, stopMs }: Experiment, nowMs: number): boolean {
  return (startMs === null || nowMs >= startMs) && (stopMs === null || nowMs < stopMs);
}
