export { createGenerateService } from './generate.ts';
export { promptSettingWarnings } from './prompt-setting-warnings.ts';
export { createOutcomeService } from './record-outcome.ts';
export { createRedaction } from './redaction.ts';
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
