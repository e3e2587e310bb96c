import { AppError, type Logger, listNames, nearestName } from '../kernel/index.ts';
import type { Experiment } from './experiment-types.ts';
import type { GuardrailArm, GuardrailFinding, SampleRatioFinding } from './guardrail-types.ts';
import type { RolloutGates } from './rollout-gates.ts';
import type { RolloutHistory } from './rollout-history.ts';
import { NO_GATE, type RolloutDecision, type RolloutEvent } from './rollout-types.ts';

/** Why an experiment gives everybody its baseline. */
export interface ExperimentStop {
  readonly by: 'guardrail' | 'admin';
  readonly atMs: number;
  readonly reason: string;
  readonly actor: string;
  /** Null for a stop by hand. */
  readonly guardrail: string | null;
}

export interface ExperimentAlarm {
  readonly atMs: number;
  readonly pValue: number;
}

interface StopRequest {
  readonly experiment: string;
  /** 1 to 500 characters. */
  readonly reason: string;
  /** API key id. */
  readonly actor: string;
}

/** Stops, resumptions and alarms of experiments, each of one definition: another definition starts afresh. */
export interface ExperimentStops {
  find(experiment: Pick<Experiment, 'name' | 'revision'>): ExperimentStop | null;
  alarm(experiment: Pick<Experiment, 'name' | 'revision'>): ExperimentAlarm | null;
  /** Keys of guardrails that stop nothing any more. */
  waived(experiment: Pick<Experiment, 'name' | 'revision'>): ReadonlySet<string>;
  /** The experiments with the stops in force as their end. */
  apply(experiments: readonly Experiment[]): readonly Experiment[];
  /**
   * Everybody gets the baseline from now on. One that is stopped already stays as it is. Fails with
   * `experiment_not_found`, `invalid_request` and `storage_unavailable`.
   */
  stop(request: StopRequest): Promise<ExperimentStop>;
  /**
   * Takes a stop back, and waives the guardrail behind it for this definition: its evidence would stop it again. Fails like
   * `stop`, and with `conflict` when nothing is stopped.
   */
  resume(request: StopRequest): Promise<{ readonly waived: readonly string[] }>;
  /** A guardrail is breached: stops the experiment. */
  breach(experiment: Experiment, finding: GuardrailFinding, arm: GuardrailArm): Promise<void>;
  /** Units do not arrive as they should: said once and for ever of this definition. */
  raise(experiment: Experiment, finding: SampleRatioFinding): Promise<void>;
}

export interface ExperimentStopsOptions {
  readonly experiments: () => readonly Experiment[];
  readonly history: RolloutHistory;
  readonly gates: Pick<RolloutGates, 'record'>;
  readonly logger: Logger;
}

const MAX_REASON_CHARACTERS = 500;
/** Actor of what nobody asked for. */
const GATEWAY_ACTOR = 'gateway';

export function createExperimentStops(options: ExperimentStopsOptions): ExperimentStops {
  const { history, gates, logger } = options;
  let applied: {
    readonly to: readonly Experiment[];
    readonly version: number;
    readonly result: readonly Experiment[];
  } | null = null;

  const find: ExperimentStops['find'] = (experiment) => {
    const event = history.stop(experiment);
    return event === null ? null : stopOf(event);
  };

  const configured = (name: string): Experiment => {
    const all = options.experiments();
    const found = all.find((experiment) => experiment.name === name);
    if (found !== undefined) return found;
    const known = all.map((experiment) => experiment.name).sort();
    const nearest = nearestName(name, known);
    const hint = nearest === null ? '' : ` (did you mean "${nearest}"?)`;
    throw new AppError(
      'experiment_not_found',
      `there is no experiment "${name.slice(0, 80)}"${hint}; known: ${listNames(known)}`,
      { details: { known } },
    );
  };

  const record = (
    experiment: Experiment,
    decision: RolloutDecision,
    change: { readonly from: string; readonly to: string },
    said: Pick<RolloutEvent, 'reason' | 'actor' | 'facts'>,
  ): Promise<RolloutEvent> =>
    gates.record({
      subjectKind: 'experiment',
      subject: experiment.name,
      revision: experiment.revision,
      decision,
      gate: NO_GATE,
      live: [],
      ...change,
      ...said,
    });

  const stopWith = async (
    experiment: Experiment,
    said: Pick<RolloutEvent, 'reason' | 'actor' | 'facts'>,
  ): Promise<ExperimentStop> => {
    const event = await record(experiment, 'stopped', { from: 'running', to: 'baseline' }, said);
    const stop = stopOf(event);
    logger[stop.by === 'guardrail' ? 'error' : 'warn'](
      {
        event: 'experiment_stopped',
        experiment: experiment.name,
        experiment_revision: experiment.revision,
        by: stop.by,
        reason: stop.reason,
        actor: stop.actor,
        ...event.facts,
      },
      'an experiment is stopped: every call gets its baseline',
    );
    return stop;
  };

  return {
    find,
    alarm: (experiment) => {
      const event = history.alarm(experiment);
      if (event === null) return null;
      return { atMs: event.createdAtMs, pValue: Number(event.facts?.['p_value']) };
    },
    waived: (experiment) => history.waived(experiment),
    apply: (experiments) => {
      if (applied?.to === experiments && applied.version === history.version) return applied.result;
      const result = experiments.map((experiment) => {
        const stop = history.stop(experiment);
        if (stop === null) return experiment;
        return { ...experiment, stopMs: Math.min(experiment.stopMs ?? stop.createdAtMs, stop.createdAtMs) };
      });
      applied = { to: experiments, version: history.version, result };
      return result;
    },
    stop: async ({ experiment: name, reason, actor }) => {
      const experiment = configured(name);
      requireReason(reason);
      return find(experiment) ?? stopWith(experiment, { reason, actor, facts: { by: 'admin' } });
    },
    resume: async ({ experiment: name, reason, actor }) => {
      const experiment = configured(name);
      requireReason(reason);
      const event = history.stop(experiment);
      if (event === null) {
        throw new AppError('conflict', `experiment "${name}" is not stopped: there is nothing to resume`);
      }
      const key = event.facts?.['guardrail_key'];
      const waived = typeof key === 'string' ? [key] : [];
      await record(
        experiment,
        'resumed',
        { from: 'baseline', to: 'running' },
        { reason, actor, facts: { waived } },
      );
      logger.warn(
        { event: 'experiment_resumed', experiment: name, reason, actor, waived },
        'an experiment is resumed',
      );
      return { waived };
    },
    breach: async (experiment, finding, arm) => {
      await stopWith(experiment, {
        reason: breachText(experiment, finding, arm),
        actor: GATEWAY_ACTOR,
        facts: {
          by: 'guardrail',
          guardrail: finding.guardrail,
          guardrail_key: finding.key,
          limit: finding.limit,
          arm: arm.arm,
          loss: arm.loss,
          lower: arm.lower,
          upper: arm.upper,
          confidence: finding.confidence,
          method: finding.method,
        },
      });
    },
    raise: async (experiment, { pValue, units }) => {
      await record(
        experiment,
        'alarmed',
        { from: 'sound', to: 'assignment broken' },
        {
          reason: 'units do not arrive in the arms as the logged propensities say',
          actor: GATEWAY_ACTOR,
          facts: { p_value: pValue, units },
        },
      );
      logger.error(
        {
          event: 'experiment_assignment_broken',
          experiment: experiment.name,
          experiment_revision: experiment.revision,
          p_value: pValue,
          units,
        },
        'the assignment of an experiment is broken: its rewards must not be read',
      );
    },
  };
}

function stopOf({ createdAtMs, reason, actor, facts }: RolloutEvent): ExperimentStop {
  const guardrail = facts?.['guardrail'];
  return {
    by: facts?.['by'] === 'guardrail' ? 'guardrail' : 'admin',
    atMs: createdAtMs,
    reason,
    actor,
    guardrail: typeof guardrail === 'string' ? guardrail : null,
  };
}

/** `error_rate of v3 is certainly more than 0.02 worse than v1: by 0.05 to 0.12`. */
function breachText(
  { baseline }: Experiment,
  { guardrail, limit }: GuardrailFinding,
  arm: GuardrailArm,
): string {
  const shown = (value: number): string => String(Number(value.toPrecision(3)));
  return `${guardrail} of ${arm.arm} is certainly more than ${shown(limit)} worse than that of ${baseline}: by ${shown(arm.lower)} to ${shown(arm.upper)}`;
}

function requireReason(reason: string): void {
  if (reason.trim() !== '' && reason.length <= MAX_REASON_CHARACTERS) return;
  throw new AppError('invalid_request', 'The experiment stays as it is.', {
    faults: [{ path: 'reason', message: `says why, in 1 to ${MAX_REASON_CHARACTERS} characters` }],
  });
}
