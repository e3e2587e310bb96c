import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  classifyErrorAnswer,
  cleanMessage,
  errorAnswerOf,
  failureOfThrown,
  retryAfterMs,
} from '../../../src/providers/failure/index.ts';

const NOW_MS = Date.UTC(2026, 10, 23, 10, 0, 0);

function classOf(status: number | undefined, body: unknown) {
  return classifyErrorAnswer(errorAnswerOf(status, body));
}

describe('the class of an error answer', () => {
  test.each([
    [400, { error: { message: 'No connected db.', type: 'no_db_connection', code: '400' } }, 'auth'],
    [401, { error: { message: 'no' } }, 'auth'],
    [403, { error: { message: 'no' } }, 'auth'],
    [402, { error: { message: 'pay' } }, 'auth'],
    [429, { error: { message: 'no money', code: 'insufficient_quota' } }, 'auth'],
    [429, { error: { message: 'slow down' } }, 'rate_limit'],
    [429, { error: { message: 'cooling', type: 'all_deployments_in_cooldown' } }, 'rate_limit'],
    [408, { error: { message: 'slow' } }, 'timeout'],
    [504, 'gateway page', 'timeout'],
    [500, 'page', 'server'],
    [502, undefined, 'server'],
    [503, '<html>', 'server'],
    [529, { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }, 'server'],
    [400, { error: { message: 'max', code: 'context_length_exceeded' } }, 'context_overflow'],
    [400, { error: { message: "This model's maximum context length is 8192 tokens" } }, 'context_overflow'],
    [400, { object: 'error', message: 'maximum context length is 4096', code: 400 }, 'context_overflow'],
    [
      400,
      {
        type: 'error',
        error: { type: 'invalid_request_error', message: 'prompt is too long: 9 tokens > 8 maximum' },
      },
      'context_overflow',
    ],
    [400, { error: { message: 'blocked', code: 'content_filter' } }, 'content_filter'],
    [400, { error: { message: 'ContentPolicyViolationError: no' } }, 'content_filter'],
    [404, { error: { message: 'model not found', code: 'model_not_found' } }, 'bad_request'],
    [404, { error: 'model "x" not found, try pulling it first' }, 'bad_request'],
    [422, { detail: [{ msg: 'field required' }] }, 'bad_request'],
    [404, { detail: 'Not Found' }, 'bad_response'],
    [404, '<html>nginx</html>', 'bad_response'],
    [302, '', 'bad_response'],
    [undefined, { error: { message: 'x', code: 429 } }, 'rate_limit'],
    [undefined, { error: { message: 'x', type: 'overloaded_error' } }, 'server'],
    [undefined, { error: { message: 'x', type: 'authentication_error' } }, 'auth'],
    [undefined, { error: { message: 'x', code: 'context_length_exceeded' } }, 'context_overflow'],
    [undefined, { error: { message: 'x', code: 'rate_limit_exceeded' } }, 'rate_limit'],
    [undefined, { error: 'bare words' }, 'server'],
  ] as const)('status %p, %j: %s', (status, body, expected) => {
    expect(classOf(status, body)).toBe(expected);
  });

  test('exists for any status and body', () => {
    fc.assert(
      fc.property(
        fc.option(fc.integer({ min: 300, max: 599 }), { nil: undefined }),
        fc.jsonValue(),
        (status, body) => {
          expect(typeof classOf(status, body)).toBe('string');
        },
      ),
    );
  });
});

describe('Retry-After', () => {
  const wait = (headers: Readonly<Record<string, string>>) =>
    retryAfterMs({ get: (name) => headers[name] ?? null }, NOW_MS);

  test.each([
    [{ 'retry-after': '7' }, 7_000],
    [{ 'retry-after': '1.5' }, 1_500],
    [{ 'retry-after': 'Mon, 23 Nov 2026 10:00:30 GMT' }, 30_000],
    [{ 'retry-after': 'Mon, 23 Nov 2026 09:00:00 GMT' }, 0],
    [{ 'retry-after-ms': '250', 'retry-after': '1' }, 250],
    [{ 'llm_provider-retry-after': '7' }, 7_000],
    [{ 'retry-after': '5', 'llm_provider-retry-after': '7' }, 5_000],
    [{ 'retry-after': '999999999' }, 86_400_000],
    [{ 'retry-after': 'soon' }, undefined],
    [{ 'retry-after': '-3' }, undefined],
    [{ 'retry-after': '' }, undefined],
    [{}, undefined],
  ])('%j means %p ms', (headers, expected) => {
    expect(wait(headers)).toBe(expected);
  });
});

describe('an upstream’s message', () => {
  const secret = 'abcdef-secret-key';

  test.each([
    ['Incorrect API key provided: sk-proj-abc123def456', /sk-proj/],
    [`the key ${secret} is wrong`, /abcdef/],
    ['Authorization: Bearer eyJhbGciOi.J9', /eyJ/],
    ['see https://litellm.internal:4000/v1?key=1 for more', /internal/],
    ["Cannot connect to host 10.0.0.7:9 ssl:default [Connect call failed ('10.0.0.7', 9)]", /10\.0\.0\.7/],
    ['connect ECONNREFUSED 127.0.0.1:4000', /127\.0/],
    ['connect ECONNREFUSED ::1:4000 [fe80::1]:80', /fe80/],
    ["failed\n\nLiteLLM: model group 'internal-name' failed with the error above.", /internal-name/],
  ])('loses what is nobody’s business: %s', (text, secretPart) => {
    expect(cleanMessage(text, secret)).not.toMatch(secretPart);
  });

  test('keeps ordinary words, in one line, cut to 300 characters', () => {
    expect(cleanMessage('temperature\n must be  a number', secret)).toBe('temperature must be a number');
    expect(cleanMessage('x'.repeat(1_000), secret)).toHaveLength(300);
  });

  test('does not take a placeholder key for a secret', () => {
    expect(cleanMessage('none of the models fits', 'none')).toBe('none of the models fits');
  });
});

describe('the failure behind a thrown value', () => {
  const withCode = (code: string) => Object.assign(new Error(`failed ${code}`), { code });

  test.each([
    ['ECONNREFUSED', 'connection'],
    ['ECONNRESET', 'connection'],
    ['ENOTFOUND', 'connection'],
    ['UND_ERR_SOCKET', 'connection'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'connection'],
    ['UND_ERR_CONNECT_TIMEOUT', 'timeout'],
    ['ETIMEDOUT', 'timeout'],
    ['HPE_INVALID_CONSTANT', 'bad_response'],
    ['UND_ERR_RES_EXCEEDED_MAX_SIZE', 'bad_response'],
  ])('code %s is of class %s, also below a cause', (code, expected) => {
    const wrapped = new Error('Connection error.', {
      cause: new TypeError('fetch failed', { cause: withCode(code) }),
    });

    expect(failureOfThrown(withCode(code), null).failureClass).toBe(expected);
    expect(failureOfThrown(wrapped, null).failureClass).toBe(expected);
  });

  test('JSON that cannot be parsed is a bad response and shows nothing of it', () => {
    let thrown: unknown;
    try {
      JSON.parse('{"secret": "text');
    } catch (error) {
      thrown = error;
    }

    expect(failureOfThrown(thrown, null)).toMatchObject({
      failureClass: 'bad_response',
      message: 'the answer is not valid JSON',
    });
  });

  test('a socket that went away is a connection failure', () => {
    expect(failureOfThrown(new TypeError('terminated'), null).failureClass).toBe('connection');
  });
});
