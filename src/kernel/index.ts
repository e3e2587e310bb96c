export {
  AppError,
  type AppErrorOptions,
  type ErrorCode,
  errorCode,
  errorMessage,
  type Fault,
} from './app-error.ts';
export { canonicalJson, hmacSha256Hex, sha256Hex } from './canonical-json.ts';
export {
  type ChatMessage,
  type ChatRole,
  type ContentPart,
  type JsonSchema,
  type MediaPart,
  type ModelParameters,
  type TextPart,
  type ToolCall,
  textOf,
} from './chat.ts';
export { type Clock, systemClock } from './clock.ts';
export { type IdPrefix, type Ids, systemIds } from './ids.ts';
export { createLogger, LOG_LEVELS, type Logger, type LogLevel, silentLogger } from './logger.ts';
export { listNames, nearestName } from './nearest-name.ts';
export { type Random, seededRandom, systemRandom } from './random.ts';
export { HOUR_MS, hourOf, NANO_USD, nanoUsdFromUsd, usdFromNanoUsd } from './units.ts';
