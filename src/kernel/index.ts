export {
  AppError,
  type ErrorCode,
  errorCode,
  errorMessage,
  type Fault,
} from './app-error.ts';
export { canonicalJson, hmacSha256Hex, sha256Hex } from './canonical-json.ts';
export {
  type ChatMessage,
  type ContentPart,
  type JsonSchema,
  type MediaPart,
  type ModelParameters,
  type ToolCall,
  textOf,
} from './chat.ts';
export { type Clock, systemClock } from './clock.ts';
export { type Ids, systemIds } from './ids.ts';
export { createLogger, LOG_LEVELS, type Logger, type LogLevel, silentLogger } from './logger.ts';
export { listNames, nearestName } from './nearest-name.ts';
export { createNetworkCheck, isMetadataHost, readNetwork } from './networks.ts';
export { type Random, seededRandom, systemRandom } from './random.ts';
export { HOUR_MS, hourOf, nanoUsdFromUsd, usdFromNanoUsd } from './units.ts';
