import { AppError, type ErrorCode, type Fault } from '../kernel/index.ts';
import { ERROR_STATUS, ERROR_TITLE } from './error-status.ts';
import { wireKeys } from './wire-case.ts';

/** An RFC 9457 body. `details` of the error become further members. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly instance: string;
  readonly request_id: string;
  readonly errors: readonly Fault[];
  readonly [detail: string]: unknown;
}

/** OpenAI's error body, as its clients parse it. */
export interface OpenAiError {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string;
  };
}

/** What is ours to show: an uncoded error becomes `internal` and keeps its text to the log. */
export function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  // The router's own: `%zz` in a path parameter.
  if (error instanceof URIError) {
    return new AppError('invalid_request', 'The path is not valid percent-encoded UTF-8.', { cause: error });
  }
  return new AppError('internal', 'Something went wrong inside the gateway; its log has the request id.', {
    cause: error,
  });
}

export function problemOf(error: AppError, requestId: string, instance: string): Problem {
  const standard = {
    type: `urn:prompt-gateway:error:${error.code}`,
    title: ERROR_TITLE[error.code],
    status: ERROR_STATUS[error.code],
    code: error.code,
    detail: error.message,
    instance,
    request_id: requestId,
    errors: shownFaults(error.faults),
  };
  // Read first and won by the members that every problem has.
  return { ...standard, ...wireKeys(error.details), ...standard };
}

/** All at once, but not a book of them: an answer must not be many times as long as its request. */
const MAX_FAULTS = 100;
const MAX_FAULT_CHARACTERS = 1_000;

function shownFaults(faults: readonly Fault[]): readonly Fault[] {
  const shown = faults.slice(0, MAX_FAULTS).map(({ path, message }) => ({
    path: path.slice(0, MAX_FAULT_CHARACTERS),
    message: message.slice(0, MAX_FAULT_CHARACTERS),
  }));
  const left = faults.length - shown.length;
  return left === 0 ? shown : [...shown, { path: '', message: `and ${left} faults more` }];
}

/** Status of a code on `/v1/*`: OpenAI answers 400 where a problem says 422. */
export function openAiStatus(code: ErrorCode): number {
  return code === 'context_overflow' || code === 'content_filtered' ? 400 : ERROR_STATUS[code];
}

export function openAiError(error: AppError): OpenAiError {
  const first = error.faults[0];
  return {
    error: {
      message: messageWithFaults(error),
      type: openAiType(openAiStatus(error.code)),
      param: first === undefined || first.path === '' ? null : first.path,
      code: openAiCode(error.code),
    },
  };
}

/** The shape has no list of faults: the message carries those that it does not tell already. */
function messageWithFaults(error: AppError): string {
  const faults = shownFaults(error.faults)
    .filter((fault) => !error.message.includes(fault.message))
    .map((fault) => (fault.path === '' ? fault.message : `${fault.path}: ${fault.message}`));
  if (faults.length === 0) return error.message;
  return `${error.message} ${faults.join('; ')}`;
}

function openAiType(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}

function openAiCode(code: ErrorCode): string {
  switch (code) {
    case 'context_overflow':
      return 'context_length_exceeded';
    case 'content_filtered':
      return 'content_filter';
    case 'rate_limited':
      return 'rate_limit_exceeded';
    case 'prompt_not_found':
    case 'version_not_found':
    case 'label_not_found':
    case 'route_not_found':
      return 'model_not_found';
    default:
      return code;
  }
}
