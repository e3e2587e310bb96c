export { createGenerateService } from './generate.ts';
export { versionCall } from './prepare-call.ts';
export { promptSettingWarnings } from './prompt-setting-warnings.ts';
export { createOutcomeService } from './record-outcome.ts';
export { createRedaction } from './redaction.ts';
export { renderAgain } from './render-again.ts';
export { createScoreService, type ScoreParts } from './score.ts';
export type {
  ScoreAnswer,
  ScoreObserver,
  ScoreRequest,
  ScoreService,
  ScoreTiming,
} from './score-types.ts';
export { loadShadowRules, shadowRuleFaults } from './shadow-rules.ts';
export { createShadowRunner, type ShadowRunner, type ShadowRunnerOptions } from './shadow-runner.ts';
export type {
  ShadowActivity,
  ShadowDropReason,
  ShadowObserver,
  ShadowRule,
  ShadowSpend,
  ShadowSpendSource,
} from './shadow-types.ts';
export type {
  CallContext,
  CallTiming,
  DryRun,
  GenerateReply,
  GenerateRequest,
  GenerateService,
  GenerateSource,
  GenerateStreamEvent,
  GenerationAnswer,
  GenerationHead,
  GenerationObserver,
  IdempotentCall,
  OutcomeService,
  OutcomeSubmission,
} from './types.ts';
