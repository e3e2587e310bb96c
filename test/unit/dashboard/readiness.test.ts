import { describe, expect, test } from '@jest/globals';
import { type Readiness, readinessOf, readinessText } from '../../../src/dashboard/health/readiness.ts';

const OK = { status: 'ok', detail: null } as const;
const READY: Readiness = { status: 'ready', draining: false, parts: { database: OK, providers: OK } };

describe('the readiness of the gateway', () => {
  test('is read from the answer, also from the one that refuses traffic', () => {
    const members = { status: 'not_ready', draining: false, parts: { database: { status: 'failed' } } };

    expect(readinessOf({ data: READY, problem: null })).toBe(READY);
    expect(readinessOf({ data: READY, problem: { status: 503, members } })).toMatchObject(members);
  });

  test.each([
    [0, { code: 'unreachable' }],
    [503, { code: 'overloaded', status: 503 }],
    [401, { code: 'unauthorized', parts: {} }],
  ])('is not known after a failure (%i)', (status, members) => {
    expect(readinessOf({ data: READY, problem: { status, members } })).toBeNull();
  });

  test('is told in a sentence that names the ill parts', () => {
    const ill = { database: OK, providers: { status: 'degraded', detail: 'x' } } as const;

    expect(readinessText(READY)).toBe('Every part works.');
    expect(readinessText({ ...READY, status: 'degraded', parts: ill })).toContain('providers');
    expect(readinessText({ ...READY, status: 'degraded', parts: ill })).not.toContain('database');
    expect(readinessText({ ...READY, status: 'not_ready', draining: true })).toContain('stopping');
  });
});
