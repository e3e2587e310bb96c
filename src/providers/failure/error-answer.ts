import { isObject } from '../answer-shape.ts';
import type { ErrorAnswer } from './classify-error-answer.ts';

/**
 * The error in a body, whatever envelope it came in: OpenAI's and Anthropic's `{error: {…}}`, llama.cpp's numeric code,
 * Ollama's bare text, vLLM's flat object, FastAPI's `detail`.
 */
export function errorAnswerOf(status: number | undefined, body: unknown): ErrorAnswer {
  const flat = isObject(body) ? body : null;
  const inner = flat?.['error'] ?? (typeof flat?.['message'] === 'string' ? flat : undefined);
  if (typeof inner === 'string') return { status, type: null, code: null, message: inner, isApiError: true };
  if (isObject(inner)) {
    const { message } = inner;
    return {
      status,
      type: typeof inner['type'] === 'string' ? inner['type'] : null,
      code: inner['code'] === undefined || inner['code'] === null ? null : String(inner['code']),
      message: typeof message === 'string' ? message : JSON.stringify(inner),
      isApiError: true,
    };
  }
  if (flat?.['detail'] !== undefined) {
    const { detail } = flat;
    const message = typeof detail === 'string' ? detail : JSON.stringify(detail);
    // FastAPI's own 404: no such path, so the base URL is wrong and not the request.
    return { status, type: null, code: null, message, isApiError: status !== 404 };
  }
  // A page of some proxy is nobody's business here and says less than its status.
  const message =
    status === undefined
      ? 'it carried an error without a word about it'
      : `status ${status} with a body that is not the API's error`;
  return { status, type: null, code: null, message, isApiError: false };
}
