import { AppError } from '../kernel/index.ts';
import type { ShadowLedger } from '../ledger/index.ts';
import type { PromptStore, PromptVersion } from '../prompts/index.ts';
import { runShadowCall, type ShadowCallParts } from './shadow-call.ts';
import { isSampled, shadowPair } from './shadow-pair.ts';
import { runShadowScore, type ShadowScoreParts } from './shadow-score.ts';
import type {
  LiveCall,
  LiveScore,
  PolicyShadowRule,
  PromptShadowRule,
  ShadowDropReason,
  ShadowRule,
} from './shadow-types.ts';

export interface ShadowWorkParts extends ShadowCallParts, ShadowScoreParts {
  readonly prompts: Pick<PromptStore, 'current'>;
  readonly shadowLedger: ShadowLedger;
}

/** A call waits for its upstream; ranking is work for the processor, and live ranking has promised to take below 50 ms. */
const MAX_LATE_CALL_MS = 100;
const MAX_LATE_SCORE_MS = 20;

/** One sampled live call or ranking, ready to be run on its rule's candidate. */
export interface ShadowWork {
  readonly rule: ShadowRule;
  readonly liveId: string;
  /** Route whose live calls must not wait for this one; null: none is used. */
  readonly liveRoute: string | null;
  /** Lateness of the event loop at which it is not begun, in milliseconds: live calls wait for the processor then. */
  readonly maxLateMs: number;
  /** What came of it, not written yet; or why it was dropped. */
  run(stop: AbortSignal): Promise<ShadowResult | ShadowDropReason>;
}

export interface ShadowResult {
  readonly status: string;
  readonly costNanoUsd: number | null;
  /** It may have been charged for although its cost is unknown. */
  readonly charged: boolean;
  readonly error: AppError | null;
  /** Fails with `storage_unavailable`. */
  record(): Promise<void>;
}

/** Test traffic, replays, calls without a prompt and calls whose caller left are never shadowed. */
export function samplesCall(rule: ShadowRule, { record }: LiveCall): rule is PromptShadowRule {
  return (
    rule.kind === 'prompt' &&
    record.prompt === rule.prompt &&
    (rule.onlyVersion === null || rule.onlyVersion === record.promptVersion) &&
    !record.test &&
    !record.replay &&
    record.shadowOf === null &&
    record.status !== 'client_closed' &&
    isSampled(rule.name, record.id, rule.sample)
  );
}

/** A candidate never shadows itself; neither does it test traffic. */
export function samplesScore(rule: ShadowRule, { record }: LiveScore): rule is PolicyShadowRule {
  return (
    rule.kind === 'policy' &&
    record.policy !== rule.policy &&
    (rule.of === null || rule.of === record.policy) &&
    !record.test &&
    record.shadowOf === null &&
    isSampled(rule.name, record.id, rule.sample)
  );
}

export function callWork(rule: PromptShadowRule, live: LiveCall, parts: ShadowWorkParts): ShadowWork {
  return {
    rule,
    liveId: live.record.id,
    liveRoute: live.call.route.name,
    maxLateMs: MAX_LATE_CALL_MS,
    run: async (stop) => {
      const candidate = candidateOf(rule, live, parts.prompts);
      if (typeof candidate === 'string') return candidate;
      const registryHash = parts.prompts.current().hash;
      const shadow = await runShadowCall({ rule, live, candidate, registryHash }, stop, parts);
      if (shadow === null) return 'draining';
      return {
        status: shadow.record.status,
        costNanoUsd: shadow.record.costNanoUsd,
        charged: shadow.charged,
        error: shadow.end.error,
        record: () =>
          parts.shadowLedger.appendShadowGeneration(shadow.record, shadowPair(rule, live, shadow)),
      };
    },
  };
}

export function scoreWork(rule: PolicyShadowRule, live: LiveScore, parts: ShadowWorkParts): ShadowWork {
  return {
    rule,
    liveId: live.record.id,
    liveRoute: null,
    maxLateMs: MAX_LATE_SCORE_MS,
    run: async () => {
      const { record, pair } = runShadowScore(rule, live, parts);
      return {
        status: pair.shadow.status,
        costNanoUsd: null,
        charged: false,
        error: null,
        record: () => parts.shadowLedger.appendShadowScore(record, pair),
      };
    },
  };
}

/** The version that the rule's candidate is for this live call, or why there is none. */
function candidateOf(
  rule: PromptShadowRule,
  { record, call }: LiveCall,
  prompts: Pick<PromptStore, 'current'>,
): PromptVersion | Extract<ShadowDropReason, 'version_unusable' | 'same_as_live'> {
  const version = rule.version ?? record.promptVersion ?? '';
  const isOtherRoute = rule.route !== null && rule.route !== call.route.name;
  const liveModel = record.modelRequested ?? call.routeCall.modelOverride;
  const isOtherModel = rule.model !== null && rule.model !== liveModel;
  if (version === record.promptVersion && !isOtherRoute && !isOtherModel) return 'same_as_live';
  try {
    const found = prompts.current().version(rule.prompt, version);
    return found.retired ? 'version_unusable' : found;
  } catch (error) {
    if (error instanceof AppError) return 'version_unusable';
    throw error;
  }
}
