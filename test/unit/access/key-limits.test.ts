import { describe, expect, test } from '@jest/globals';

import { createKeyLimiter, type KeyLimits } from '../../../src/access/index.ts';
import { manualClock } from '../../fakes/manual-clock.ts';

const NO_LIMITS: KeyLimits = { requestsPerMinute: null, tokensPerMinute: null, nanoUsdPerDay: null };
const USD = 1_000_000_000;

function limiterForTest(limits: Partial<KeyLimits>, spentNanoUsd = 0) {
  const clock = manualClock();
  const limiter = createKeyLimiter({
    limitsOf: (keyId) => (keyId === 'free' ? null : { ...NO_LIMITS, ...limits }),
    spend: { spentOn: async () => spentNanoUsd },
    clock,
  });
  return { clock, limiter };
}

describe('requests per minute', () => {
  test('the call after the last one is refused with a time to come back', async () => {
    const { limiter } = limiterForTest({ requestsPerMinute: 2 });
    await limiter.reserve('k');
    await limiter.reserve('k');
    await expect(limiter.reserve('k')).rejects.toMatchObject({ code: 'rate_limited' });
    await expect(limiter.reserve('k')).rejects.toThrow('2 calls a minute');
    expect(await limiter.standings('k')).toEqual([
      expect.objectContaining({ name: 'requests', limit: 2, remaining: 0, windowSeconds: 60 }),
    ]);
  });

  test('keys do not use up each other', async () => {
    const { limiter } = limiterForTest({ requestsPerMinute: 1 });
    await limiter.reserve('a');
    await limiter.reserve('b');
    await expect(limiter.reserve('a')).rejects.toMatchObject({ code: 'rate_limited' });
  });

  test('a key without limits is never refused and has no standing', async () => {
    const { limiter } = limiterForTest({ requestsPerMinute: 1 });
    for (let call = 0; call < 10; call += 1) await limiter.reserve('free');
    expect(await limiter.standings('free')).toEqual([]);
  });
});

test('tokens count when a call is settled, once, and shut the key when they are used up', async () => {
  const { limiter } = limiterForTest({ tokensPerMinute: 100 });
  const call = await limiter.reserve('k');
  call.settle({ tokens: 60, costNanoUsd: null });
  call.settle({ tokens: 60, costNanoUsd: null });
  const second = await limiter.reserve('k');
  expect(await limiter.standings('k')).toEqual([expect.objectContaining({ name: 'tokens', remaining: 40 })]);
  second.settle({ tokens: 50, costNanoUsd: null });
  await expect(limiter.reserve('k')).rejects.toThrow('100 tokens a minute');
});

describe('a budget', () => {
  test('sets aside what running calls may cost, so that many at once cannot pass it', async () => {
    const { limiter } = limiterForTest({ nanoUsdPerDay: USD });
    const first = await limiter.reserve('k');
    first.settle({ tokens: 1, costNanoUsd: 0.3 * USD });
    const running = await Promise.allSettled(Array.from({ length: 10 }, () => limiter.reserve('k')));
    expect(running.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    expect(running.at(-1)).toMatchObject({ reason: expect.objectContaining({ code: 'budget_exceeded' }) });
  });

  test('knows what was spent before the process started, and begins anew at midnight UTC', async () => {
    const { limiter, clock } = limiterForTest({ nanoUsdPerDay: USD }, USD);
    await expect(limiter.reserve('k')).rejects.toMatchObject({
      code: 'budget_exceeded',
      retryAfterMs: 14 * 3_600_000,
    });
    const fresh = limiterForTest({ nanoUsdPerDay: USD });
    const call = await fresh.limiter.reserve('k');
    call.settle({ tokens: null, costNanoUsd: USD });
    await expect(fresh.limiter.reserve('k')).rejects.toMatchObject({ code: 'budget_exceeded' });
    await fresh.clock.advance(14 * 3_600_000);
    await expect(fresh.limiter.reserve('k')).resolves.toBeDefined();
    expect(clock.nowMs()).toBeGreaterThan(0);
  });

  test('smaller than a cent still lets its first call in', async () => {
    const { limiter } = limiterForTest({ nanoUsdPerDay: 1_000 });
    await expect(limiter.reserve('k')).resolves.toBeDefined();
  });

  test('gives back what a call that failed had set aside', async () => {
    const { limiter } = limiterForTest({ nanoUsdPerDay: 20, requestsPerMinute: 1_000 });
    for (let call = 0; call < 100; call += 1) {
      (await limiter.reserve('k')).settle({ tokens: null, costNanoUsd: null });
    }
    await expect(limiter.reserve('k')).resolves.toBeDefined();
  });
});
