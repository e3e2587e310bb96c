import { type DestinationStream, pino } from 'pino';

/** Structured log. The message is a fixed string, variables are fields; prompt and completion text never enter it. */
export interface Logger {
  error(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  info(fields: object, message: string): void;
  debug(fields: object, message: string): void;
}

export const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Paths that may carry a secret wherever they turn up. One list for the whole process. */
const REDACTED_PATHS = [
  'authorization',
  'api_key',
  '*.authorization',
  '*.api_key',
  '*.apiKey',
  'headers.authorization',
  'headers["x-api-key"]',
];

/** JSON lines to standard output (or `destination`), secrets removed by path. */
export function createLogger(level: LogLevel, destination?: DestinationStream): Logger {
  const options = { level, base: null, redact: { paths: REDACTED_PATHS, censor: '[redacted]' } };
  return destination === undefined ? pino(options) : pino(options, destination);
}

export const silentLogger: Logger = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };
