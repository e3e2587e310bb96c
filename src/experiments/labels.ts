import {
  AppError,
  type Clock,
  errorCode,
  errorMessage,
  type Fault,
  type Ids,
  type Logger,
  listNames,
  nearestName,
} from '../kernel/index.ts';
import type { PromptRegistry } from '../prompts/index.ts';
import type { LabelEvent, LabelEventStore, LabelTarget, LabelView } from './label-types.ts';
import { type ConfiguredLabels, seedLabels } from './labels-seed.ts';
import { describeTarget, type KnownTargets, nameFault, targetHash } from './labels-target.ts';
import type { RolloutGates } from './rollout-gates.ts';

export interface LabelsOptions {
  readonly store: LabelEventStore;
  readonly registry: () => PromptRegistry;
  /** Names of a prompt's experiments. */
  readonly experiments: (prompt: string) => readonly string[];
  readonly ids: Ids;
  /** Says what a label may lead users to. */
  readonly gates: Pick<RolloutGates, 'admitMove'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly pollIntervalMs?: number;
}

export interface LabelMoveRequest {
  readonly prompt: string;
  /** Without the `@`. */
  readonly label: string;
  readonly to: LabelTarget;
  /** Sequence of the last move the caller has seen of this label; 0: it has none yet. Null: whatever it is. */
  readonly expectedSequence: number | null;
  /** 1 to 500 characters. */
  readonly reason: string;
  /** API key id. */
  readonly actor: string;
  /** Why it shall pass a closed rollout gate, 1 to 500 characters; null: it shall not. */
  readonly overrideReason: string | null;
}

/** The labels of all prompts: movable pointers to a version or an experiment, written `@name` in a call. */
export interface Labels extends LabelView {
  /** Every label of a prompt as it stands, by name. Fails with `prompt_not_found`. */
  list(prompt: string): readonly LabelEvent[];
  /** One label as it stands. Fails with `prompt_not_found` and `label_not_found`, listing the known ones. */
  current(prompt: string, label: string): LabelEvent;
  /** Its moves, newest first. Fails like `current`, and with `storage_unavailable`. */
  history(prompt: string, label: string, limit: number): Promise<readonly LabelEvent[]>;
  /**
   * Moves a label, or makes it: in force here at once, elsewhere within a poll. To where it already points is no move.
   * Fails with `invalid_request` (name, reason, too many labels), `prompt_not_found`, `version_not_found`,
   * `version_retired`, `experiment_not_found`, `conflict` (details: `current`), `rollout_gate_closed` and
   * `storage_unavailable`.
   */
  move(request: LabelMoveRequest): Promise<LabelEvent>;
  /**
   * Reads all labels, then gives those without any move their configured value. Answers what is odd: values that no longer
   * count, labels that point to nothing. Fails with `config_invalid`, all faults at once, and `storage_unavailable`.
   */
  seed(configured: ConfiguredLabels): Promise<readonly Fault[]>;
  /** Follows the moves of other processes until closed. */
  start(): void;
  close(): Promise<void>;
}

/** A move is in force everywhere within this time: replicas share nothing but the database. */
const POLL_INTERVAL_MS = 250;
/** A store that does not answer is asked less and less often, down to this. */
const LONGEST_POLL_INTERVAL_MS = 5_000;
const PAGE_EVENTS = 500;
/** Labels are held in memory: whoever may move them must not fill it. */
const MAX_LABELS_PER_PROMPT = 100;
const MAX_REASON_CHARACTERS = 500;

export function createLabels(options: LabelsOptions): Labels {
  const { store, registry, gates, ids, clock, logger, pollIntervalMs = POLL_INTERVAL_MS } = options;
  const known: KnownTargets = { registry, experiments: options.experiments };
  const byPrompt = new Map<string, Map<string, LabelEvent>>();
  const stop = new AbortController();
  /** Moves that were admitted and are not stored yet: their targets have to stay. */
  const underWay = new Set<LabelMoveRequest>();
  let seenSequence = 0;
  let following: Promise<void> | null = null;

  const find = (prompt: string, label: string): LabelEvent | null => byPrompt.get(prompt)?.get(label) ?? null;
  const names = (prompt: string): readonly string[] => [...(byPrompt.get(prompt)?.keys() ?? [])].sort();

  const leadingTo = (prompt: string, experiment: string): readonly string[] => {
    const isThere = (to: LabelTarget | undefined): boolean =>
      to?.kind === 'experiment' && to.experiment === experiment;
    const moving = [...underWay].filter((move) => move.prompt === prompt && isThere(move.to));
    const there = names(prompt).filter((label) => isThere(find(prompt, label)?.to));
    return [...new Set([...there, ...moving.map(({ label }) => label)])];
  };

  /** Events arrive twice (own moves come back with a poll) and late: only a newer one counts. */
  const apply = (event: LabelEvent): boolean => {
    const labels = byPrompt.get(event.prompt) ?? new Map<string, LabelEvent>();
    if ((labels.get(event.label)?.sequence ?? 0) >= event.sequence) return false;
    byPrompt.set(event.prompt, labels.set(event.label, event));
    return true;
  };

  const applyAndTell = (event: LabelEvent): void => {
    if (!apply(event)) return;
    logger.info(
      {
        event: 'label_moved',
        prompt: event.prompt,
        label: event.label,
        sequence: event.sequence,
        from: event.from === null ? null : describeTarget(event.from),
        to: describeTarget(event.to),
        reason: event.reason,
        actor: event.actor,
        gate: event.gate.state,
      },
      'a label moved',
    );
  };

  const catchUp = async (take: (event: LabelEvent) => void): Promise<void> => {
    while (true) {
      const events = await store.eventsAfter(seenSequence, PAGE_EVENTS);
      for (const event of events) take(event);
      seenSequence = Math.max(seenSequence, events.at(-1)?.sequence ?? 0);
      if (events.length < PAGE_EVENTS) return;
    }
  };

  const follow = async (): Promise<void> => {
    let waitMs = pollIntervalMs;
    let isFailing = false;
    while (true) {
      await clock.sleep(waitMs, stop.signal);
      if (stop.signal.aborted) return;
      try {
        await catchUp(applyAndTell);
        if (isFailing) logger.info({ event: 'labels_followed' }, 'moves of labels are seen again');
        isFailing = false;
        waitMs = pollIntervalMs;
      } catch (error) {
        if (!isFailing && !stop.signal.aborted) {
          logger.warn(
            { event: 'labels_not_followed', code: errorCode(error), error: errorMessage(error) },
            'moves of labels by other processes are not seen: the last known ones stay in force',
          );
        }
        isFailing = true;
        waitMs = Math.min(waitMs * 2, LONGEST_POLL_INTERVAL_MS);
      }
    }
  };

  const current = (prompt: string, label: string): LabelEvent => {
    registry().family(prompt);
    const event = find(prompt, label);
    if (event === null) throw labelNotFound(prompt, label, names(prompt));
    return event;
  };

  /** Says how the label stands, if that can be read; else what the store said. */
  const conflictOf = async (error: unknown, { prompt, label }: LabelMoveRequest): Promise<unknown> => {
    try {
      await catchUp(applyAndTell);
    } catch {
      return error;
    }
    const event = find(prompt, label);
    return new AppError('conflict', `${errorMessage(error)}: read it again, then decide`, {
      details: { prompt, label, current: event === null ? null : currentFacts(event) },
      cause: error,
    });
  };

  const requireMovable = ({ prompt, label, reason, overrideReason }: LabelMoveRequest): void => {
    registry().family(prompt);
    const faults: Fault[] = [];
    const labelFault = nameFault(label);
    if (labelFault !== null) faults.push({ path: 'label', message: labelFault });
    if (reason.trim() === '' || reason.length > MAX_REASON_CHARACTERS) {
      const message = `says why the label moves, in 1 to ${MAX_REASON_CHARACTERS} characters`;
      faults.push({ path: 'reason', message });
    }
    if (
      overrideReason !== null &&
      (overrideReason.trim() === '' || overrideReason.length > MAX_REASON_CHARACTERS)
    ) {
      const message = `says why the gate shall be passed, in 1 to ${MAX_REASON_CHARACTERS} characters`;
      faults.push({ path: 'override.reason', message });
    }
    if (faults.length > 0) throw new AppError('invalid_request', 'The label cannot be moved.', { faults });
    if (find(prompt, label) === null && (byPrompt.get(prompt)?.size ?? 0) >= MAX_LABELS_PER_PROMPT) {
      const message = `prompt "${prompt}" has ${MAX_LABELS_PER_PROMPT} labels already: move one of them instead`;
      throw new AppError('invalid_request', message, { details: { known: names(prompt) } });
    }
  };

  return {
    find,
    names,
    leadingTo,
    list: (prompt) => {
      registry().family(prompt);
      return names(prompt).flatMap((label) => find(prompt, label) ?? []);
    },
    current,
    history: async (prompt, label, limit) => {
      current(prompt, label);
      const events = await store.history(prompt, label, limit);
      // The store may know of a move that no poll has brought yet: nobody shall see state and history disagree.
      for (const newest of events.slice(0, 1)) applyAndTell(newest);
      return events;
    },
    move: async (request) => {
      requireMovable(request);
      const { overrideReason: _override, ...asked } = request;
      const toHash = targetHash(known, request.prompt, request.to);
      underWay.add(request);
      try {
        const { finding, live } = await gates.admitMove({
          ...request,
          from: find(request.prompt, request.label)?.to ?? null,
          seeded: false,
        });
        const event = await store.appendMove({
          ...asked,
          id: ids.next('lbl'),
          toHash,
          seeded: false,
          gate: finding,
          live,
          createdAtMs: clock.nowMs(),
        });
        applyAndTell(event);
        return event;
      } catch (error) {
        throw errorCode(error) === 'conflict' ? await conflictOf(error, request) : error;
      } finally {
        underWay.delete(request);
      }
    },
    seed: async (configured) => {
      // What was moved before this start is no news.
      await catchUp(apply);
      return seedLabels(configured, {
        known,
        find,
        all: () => [...byPrompt.values()].flatMap((labels) => [...labels.values()]),
        append: async (first) => {
          const admitted = await gates.admitMove({ ...first, from: null, overrideReason: null });
          try {
            applyAndTell(
              await store.appendMove({
                ...first,
                gate: admitted.finding,
                live: admitted.live,
                id: ids.next('lbl'),
                createdAtMs: clock.nowMs(),
                expectedSequence: 0,
              }),
            );
          } catch (error) {
            if (errorCode(error) !== 'conflict') throw error;
            // Another process that starts at this moment was first.
            await catchUp(applyAndTell);
          }
        },
      });
    },
    start: () => {
      following ??= follow();
    },
    close: async () => {
      stop.abort();
      await following;
    },
  };
}

function labelNotFound(prompt: string, label: string, known: readonly string[]): AppError {
  const nearest = nearestName(label, known);
  const hint = nearest === null ? '' : ` (did you mean "${nearest}"?)`;
  return new AppError(
    'label_not_found',
    `prompt "${prompt}" has no label "${label}"${hint}; known: ${listNames(known)}`,
    { details: { prompt, label, known } },
  );
}

function currentFacts(event: LabelEvent): Readonly<Record<string, unknown>> {
  return {
    target: event.to.kind === 'version' ? { version: event.to.version } : { experiment: event.to.experiment },
    sequence: event.sequence,
    moved_at: new Date(event.createdAtMs).toISOString(),
    reason: event.reason,
    actor: event.actor,
  };
}
