import { AppError, errorMessage } from '../kernel/index.ts';
import { withoutTexts } from './redaction.ts';

/** The call's own error with the id of its row: `GET /generations/{id}` shows what was tried. */
export function failedGeneration(error: AppError, generationId: string): AppError {
  const { code, message, faults, details, retryAfterMs, cause } = error;
  return new AppError(code, message, {
    faults,
    details: { ...details, generationId },
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    cause,
  });
}

/** The error without what the configuration redacts: upstreams repeat requests in their words, and errors are logged. */
export function errorWithoutTexts(error: AppError, texts: readonly string[]): AppError {
  if (texts.length === 0) return error;
  const { code, message, faults, details, retryAfterMs, cause } = error;
  return new AppError(code, withoutTexts(message, texts), {
    faults,
    details,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(cause === undefined ? {} : { cause: withoutTexts(errorMessage(cause), texts) }),
  });
}
