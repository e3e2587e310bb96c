import type { KeyRevocation, StoredApiKey } from '../../access/index.ts';
import type { SequenceCommit, SequenceKey } from '../../analytics/index.ts';
import type {
  LabelEvent,
  LabelMove,
  NewRolloutEvent,
  PolicySnapshot,
  RolloutEvent,
} from '../../experiments/index.ts';
import type { ErrorCode } from '../../kernel/index.ts';
import type {
  IdempotencyClaim,
  IdempotencyClaimResult,
  IdempotencyCompletion,
  OutcomeReceipt,
  OutcomeVoid,
  RetentionProgress,
  RetentionStep,
} from '../../ledger/index.ts';
import type { GenerationValues } from './generation-columns.ts';
import type { OutcomeRow } from './outcome-columns.ts';
import type { ScoreValues } from './score-columns.ts';
import type { ScoreTraining } from './score-training-rows.ts';
import type { ShadowPairValues } from './shadow-pair-columns.ts';
import type { SignInTokenRow, SignInTokenUse } from './sign-in-token-rows.ts';

/** What the writer can be asked. Plain data: it crosses a thread boundary. */
export type WriterCommand =
  | {
      readonly kind: 'append_generation';
      readonly values: GenerationValues;
      readonly completes: IdempotencyCompletion | null;
    }
  | {
      readonly kind: 'append_shadow_generation';
      readonly values: GenerationValues;
      readonly pair: ShadowPairValues;
    }
  | {
      readonly kind: 'append_score';
      readonly values: ScoreValues;
      readonly completes: IdempotencyCompletion | null;
    }
  /** Without values the candidate could not rank, and only the pair is kept. */
  | {
      readonly kind: 'append_shadow_score';
      readonly values: ScoreValues | null;
      readonly pair: ShadowPairValues;
    }
  | {
      readonly kind: 'append_outcomes';
      readonly apiKeyId: string;
      readonly entries: readonly OutcomeEntry[];
    }
  | { readonly kind: 'claim_idempotency_key'; readonly claim: IdempotencyClaim }
  | {
      readonly kind: 'release_idempotency_key';
      readonly apiKeyId: string;
      readonly key: string;
      readonly leaseId: string;
    }
  | {
      readonly kind: 'expire_idempotency_keys';
      readonly beforeMs: number;
      readonly nowMs: number;
      readonly limit: number;
    }
  | { readonly kind: 'append_label_event'; readonly move: LabelMove }
  | { readonly kind: 'append_rollout'; readonly event: NewRolloutEvent }
  | { readonly kind: 'append_snapshot'; readonly snapshot: PolicySnapshot }
  | { readonly kind: 'append_api_key'; readonly key: StoredApiKey }
  | { readonly kind: 'revoke_api_key'; readonly revocation: KeyRevocation }
  | { readonly kind: 'note_key_use'; readonly lastUsedAtMsById: Readonly<Record<string, number>> }
  | { readonly kind: 'append_sign_in_token'; readonly token: SignInTokenRow }
  | { readonly kind: 'use_sign_in_token'; readonly tokenSha256: string; readonly nowMs: number }
  | { readonly kind: 'commit_score_training'; readonly training: ScoreTraining }
  | { readonly kind: 'claim_sequence'; readonly sequence: SequenceKey; readonly untilMs: number }
  | { readonly kind: 'commit_sequence'; readonly commit: SequenceCommit }
  | { readonly kind: 'rebuild_rollups' }
  | { readonly kind: 'retain'; readonly step: RetentionStep }
  /** Writes one small row: tells whether the disk takes writes again. */
  | { readonly kind: 'probe'; readonly nowMs: number };

export type OutcomeEntry =
  | { readonly kind: 'outcome'; readonly row: OutcomeRow }
  | { readonly kind: 'void'; readonly void: OutcomeVoid };

export type WriterValue =
  | null
  | number
  | OutcomeReceipt
  | IdempotencyClaimResult
  | LabelEvent
  | RolloutEvent
  | SignInTokenUse
  | RetentionProgress;

export type WriterReply =
  | { readonly ok: true; readonly value: WriterValue }
  | {
      readonly ok: false;
      readonly code: ErrorCode;
      readonly message: string;
      readonly details: Readonly<Record<string, unknown>>;
      /** Why the database takes no writes; null when the fault is the command's own. */
      readonly unavailableReason: string | null;
    };

/** A command, and how long it has waited for its transaction. */
export interface QueuedCommand {
  readonly command: WriterCommand;
  readonly waitedMs: number;
}
