export { createGatewayClient } from './gateway-client.ts';
export { type ClientErrorCode, GatewayError } from './gateway-error.ts';
export type {
  Assignment,
  CallOptions,
  ClientClock,
  FeedbackEntry,
  FeedbackReceipt,
  GatewayClient,
  GatewayClientOptions,
  GatewayFault,
  GenerateInput,
  GenerateOptions,
  GenerateParameters,
  Generation,
  GenerationHead,
  Outcome,
  OutcomeTarget,
  OutcomeWithdrawal,
  StreamEvent,
} from './types.ts';
