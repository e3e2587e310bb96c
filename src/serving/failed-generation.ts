import { AppError } from '../kernel/index.ts';

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
