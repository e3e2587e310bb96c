import { AppError, errorMessage } from '../../kernel/index.ts';
import { createApiKeyAppender } from './api-key-rows.ts';
import { createAssignmentAppender } from './assignment-rows.ts';
import { clearDerived, firstWholeDayMs } from './clear-derived.ts';
import type { Connection } from './connection.ts';
import { GENERATION_COLUMN_NAMES } from './generation-columns.ts';
import { FACT_COLUMNS, factsOfValues, type GenerationFacts } from './generation-facts.ts';
import { createIdempotencyKeys } from './idempotency-keys.ts';
import { createKeySpend } from './key-spend.ts';
import { createLabelEventAppender } from './label-event-appender.ts';
import { createOutcomeAppender } from './outcome-appender.ts';
import { createRetentionStateReader, frozenUntilMs } from './retention-state.ts';
import { createRetentionSteps } from './retention-steps.ts';
import { createRewardJoiner } from './reward-joiner.ts';
import { createRolloutEventAppender } from './rollout-event-appender.ts';
import { createRollups } from './rollups.ts';
import { createScoreAppender } from './score-appender.ts';
import { createScoreTrainingAppender } from './score-training-rows.ts';
import { createSequenceWrites } from './sequence-rows.ts';
import { createShadowPairs } from './shadow-pair-appender.ts';
import { createSignInTokenRows } from './sign-in-token-rows.ts';
import { createSnapshotAppender } from './snapshot-rows.ts';
import { isStorageUnavailable, sqliteCode, unavailableReason } from './sqlite-failure.ts';
import type { QueuedCommand, WriterReply, WriterValue } from './writer-commands.ts';

/**
 * The write side without threads: every rule of the ledger, over one connection. The connection must not be used for
 * writing by anybody else.
 */
export interface WriterCore {
  /**
   * One transaction for all commands, one reply each, in order. A command is refused alone (nothing of it is written
   * before that is decided). An unexpected failure rolls the transaction back and runs each command in its own, so
   * that one bad command cannot sink its neighbours; a database that takes no writes fails them all.
   */
  applyBatch(commands: readonly QueuedCommand[]): readonly WriterReply[];
}

/** Generations per step of a rebuild: bounds what is held in memory. */
const REBUILD_PAGE_ROWS = 1_000;

/** How often the oldest rows make room for one batch before it is refused. */
const ROOM_ROUNDS = 3;

/** `maxBytes`: of the file and its log; null: no limit. */
export function createWriterCore(database: Connection, maxBytes: number | null = null): WriterCore {
  const rollups = createRollups(database);
  const joiner = createRewardJoiner(database, rollups);
  const scores = createScoreAppender(database);
  const outcomes = createOutcomeAppender(database, { generations: joiner, scores });
  const keys = createIdempotencyKeys(database);
  const appendAssignment = createAssignmentAppender(database);
  const appendSnapshot = createSnapshotAppender(database);
  const addSpend = createKeySpend(database);
  const apiKeys = createApiKeyAppender(database);
  const signInTokens = createSignInTokenRows(database);
  const sequences = createSequenceWrites(database);
  const commitTraining = createScoreTrainingAppender(database);
  const shadowPairs = createShadowPairs(database);
  const appendLabelEvent = createLabelEventAppender(database);
  const appendRollout = createRolloutEventAppender(database);
  const retention = createRetentionSteps(database, maxBytes);
  const retentionState = createRetentionStateReader(database);

  // An id is minted once: the same id again is the same call sent twice, and changes nothing.
  const insertGeneration = database.prepare(
    `INSERT INTO generations (${GENERATION_COLUMN_NAMES.join(', ')}, commit_wait_ms)
     VALUES (${GENERATION_COLUMN_NAMES.map(() => '?').join(', ')}, ?)
     ON CONFLICT (id) DO NOTHING`,
  );
  const generationPage = database.prepare(
    `SELECT seq, ${FACT_COLUMNS.join(', ')} FROM generations WHERE seq > ? ORDER BY seq LIMIT ?`,
  );
  const probe = database.prepare(
    `INSERT INTO instance_settings (name, value) VALUES ('last_probe_ms', ?)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
  );

  const rebuild = (): void => {
    rollups.forget();
    const frozenMs = frozenUntilMs(retentionState());
    clearDerived(database, frozenMs);
    let afterSequence = 0;
    while (true) {
      // Row mapper: `seq` and the fact columns.
      const page = generationPage.all(afterSequence, REBUILD_PAGE_ROWS) as (GenerationFacts & {
        readonly seq: number;
      })[];
      for (const facts of page) {
        if (facts.created_at_ms < frozenMs) continue;
        rollups.addGeneration(facts);
        if (facts.created_at_ms >= firstWholeDayMs(frozenMs)) addSpend(facts);
        joiner.settleGeneration(facts);
      }
      rollups.flush();
      const last = page.at(-1);
      if (last === undefined || page.length < REBUILD_PAGE_ROWS) break;
      afterSequence = last.seq;
    }
    joiner.collectOrphans();
    scores.rebuild(frozenMs);
    shadowPairs.rebuild(frozenMs);
  };

  const run = ({ command, waitedMs }: QueuedCommand): WriterValue => {
    switch (command.kind) {
      case 'append_generation': {
        const { changes } = insertGeneration.run(command.values, waitedMs);
        const facts = factsOfValues(command.values);
        if (changes > 0) {
          rollups.addGeneration(facts);
          addSpend(facts);
          joiner.generationArrived(facts);
          appendAssignment(command.values);
        }
        if (command.completes !== null) {
          keys.complete(command.completes, facts.id, facts.finished_at_ms);
        }
        return null;
      }
      case 'append_shadow_generation': {
        const { changes } = insertGeneration.run(command.values, waitedMs);
        if (changes > 0) {
          const facts = factsOfValues(command.values);
          rollups.addGeneration(facts);
          joiner.generationArrived(facts);
          shadowPairs.append(command.pair);
        }
        return null;
      }
      case 'append_score': {
        const score = scores.append(command.values, waitedMs);
        if (command.completes !== null) {
          keys.complete(command.completes, score.id, score.finished_at_ms);
        }
        return null;
      }
      case 'append_shadow_score':
        if (command.values !== null) scores.append(command.values, waitedMs);
        shadowPairs.append(command.pair);
        return null;
      case 'append_outcomes':
        return outcomes.append(command.apiKeyId, command.entries);
      case 'claim_idempotency_key':
        return keys.claim(command.claim);
      case 'release_idempotency_key':
        keys.release(command.apiKeyId, command.key, command.leaseId);
        return null;
      case 'expire_idempotency_keys':
        return keys.expire(command.beforeMs, command.nowMs, command.limit);
      case 'append_label_event':
        return appendLabelEvent(command.move);
      case 'append_rollout':
        return appendRollout(command.event);
      case 'append_snapshot':
        appendSnapshot(command.snapshot);
        return null;
      case 'append_api_key':
        apiKeys.append(command.key);
        return null;
      case 'revoke_api_key':
        return apiKeys.revoke(command.revocation) ? 1 : 0;
      case 'note_key_use':
        apiKeys.noteUse(command.lastUsedAtMsById);
        return null;
      case 'append_sign_in_token':
        signInTokens.append(command.token);
        return null;
      case 'use_sign_in_token':
        return signInTokens.use(command.tokenSha256, command.nowMs);
      case 'commit_score_training':
        commitTraining(command.training);
        return null;
      case 'claim_sequence':
        return sequences.claim(command.sequence, command.untilMs);
      case 'commit_sequence':
        return sequences.commit(command.commit) ? 1 : 0;
      case 'rebuild_rollups':
        rebuild();
        return null;
      case 'retain':
        return retention.step(command.step);
      case 'probe':
        probe.run(String(command.nowMs));
        return null;
      default:
        return command satisfies never;
    }
  };

  const runOrRefuse = (queued: QueuedCommand): WriterReply => {
    try {
      return { ok: true, value: run(queued) };
    } catch (error) {
      if (error instanceof AppError) return refusal(error);
      throw error;
    }
  };

  const transaction = database.transaction((commands: readonly QueuedCommand[]): readonly WriterReply[] => {
    const replies = commands.map(runOrRefuse);
    rollups.flush();
    return replies;
  });

  const attempt = (commands: readonly QueuedCommand[]): readonly WriterReply[] => {
    try {
      return transaction.immediate(commands);
    } catch (error) {
      rollups.forget();
      throw error;
    }
  };

  const applyAlone = (queued: QueuedCommand): WriterReply => {
    try {
      return attempt([queued])[0] ?? failure(new Error('no reply'));
    } catch (error) {
      return failure(error);
    }
  };

  /** The oldest rows make room for new ones, when it was the size limit that refused them. */
  const makeRoom = (error: unknown): boolean => {
    if (!isFull(error) || retention.limitReason() === null) return false;
    try {
      return retention.makeRoom();
    } catch {
      // A disk that is full as well: the write's own failure says so.
      return false;
    }
  };

  const failed = (error: unknown): WriterReply =>
    failure(error, isFull(error) ? retention.limitReason() : null);

  const attemptWithRoom = (commands: readonly QueuedCommand[]): readonly WriterReply[] => {
    for (let round = 1; ; round += 1) {
      try {
        return attempt(commands);
      } catch (error) {
        if (round > ROOM_ROUNDS || !makeRoom(error)) throw error;
      }
    }
  };

  return {
    applyBatch: (commands) => {
      try {
        return attemptWithRoom(commands);
      } catch (error) {
        if (isStorageUnavailable(error) || commands.length === 1) return commands.map(() => failed(error));
        return commands.map(applyAlone);
      }
    },
  };
}

function refusal(error: AppError): WriterReply {
  return {
    ok: false,
    code: error.code,
    message: error.message,
    details: error.details,
    unavailableReason: null,
  };
}

function isFull(error: unknown): boolean {
  return sqliteCode(error)?.startsWith('SQLITE_FULL') === true;
}

function failure(error: unknown, limitReason: string | null = null): WriterReply {
  const reason = isStorageUnavailable(error) ? (limitReason ?? unavailableReason(error)) : null;
  return {
    ok: false,
    code: reason === null ? 'internal' : 'storage_unavailable',
    message: errorMessage(error),
    details: {},
    unavailableReason: reason,
  };
}
