export { createGenerateService, type GenerateParts } from './generate.ts';
export { createOutcomeService, type OutcomeServiceParts } from './record-outcome.ts';
export { createRedaction, type Redaction } from './redaction.ts';
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
  OutcomeService,
  OutcomeSubmission,
} from './types.ts';
