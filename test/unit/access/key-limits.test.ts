import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { type CallReservation, createKeyLimiter, type KeyLimits } from '../../../src/access/index.ts';
import { AppError } from '../../../src/kernel/index.ts';
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
    await expect(limiter.reserve('k')).rejects.toThrow('2 requests per minute');
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
  call.settle({ tokens: 60, costNanoUsd: null, wasCutShort: false });
  call.settle({ tokens: 60, costNanoUsd: null, wasCutShort: false });
  const second = await limiter.reserve('k');
  expect(await limiter.standings('k')).toEqual([expect.objectContaining({ name: 'tokens', remaining: 40 })]);
  second.settle({ tokens: 50, costNanoUsd: null, wasCutShort: false });
  await expect(limiter.reserve('k')).rejects.toThrow('100 tokens per minute, is reached: it has used 110');
});

describe('a budget', () => {
  test('sets aside what running calls may cost, so that many at once cannot pass it', async () => {
    const { limiter } = limiterForTest({ nanoUsdPerDay: USD });
    const first = await limiter.reserve('k');
    first.settle({ tokens: 1, costNanoUsd: 0.3 * USD, wasCutShort: false });
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
    call.settle({ tokens: null, costNanoUsd: USD, wasCutShort: false });
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
      (await limiter.reserve('k')).settle({ tokens: null, costNanoUsd: null, wasCutShort: false });
    }
    await expect(limiter.reserve('k')).resolves.toBeDefined();
  });
});

describe('a budget under attack', () => {
  test('is one for first calls that come together', async () => {
    const { limiter } = limiterForTest({ nanoUsdPerDay: 100 });
    // Each sets a twentieth aside: 5 of 100.
    const running = await Promise.allSettled(Array.from({ length: 50 }, () => limiter.reserve('k')));
    expect(running.filter(({ status }) => status === 'fulfilled')).toHaveLength(20);
  });

  test('is one for first calls of a new day that come together', async () => {
    const { limiter, clock } = limiterForTest({ nanoUsdPerDay: 100 });
    await limiter.reserve('k');
    await clock.advance(24 * 3_600_000);
    const running = await Promise.allSettled(Array.from({ length: 50 }, () => limiter.reserve('k')));
    expect(running.filter(({ status }) => status === 'fulfilled')).toHaveLength(20);
  });

  test('counts what was set aside for a call that its caller cut short', async () => {
    const { limiter } = limiterForTest({ nanoUsdPerDay: 100 });
    let served = 0;
    for (; served < 50; served += 1) {
      const call = await limiter.reserve('k').catch(() => null);
      if (call === null) break;
      call.settle({ tokens: null, costNanoUsd: null, wasCutShort: true });
    }
    expect(served).toBe(20);
  });

  test('that cannot be read refuses, and is read again by the next call', async () => {
    let isDown = true;
    const limiter = createKeyLimiter({
      limitsOf: () => ({ ...NO_LIMITS, nanoUsdPerDay: USD }),
      spend: {
        spentOn: async () => {
          if (isDown) throw new AppError('storage_unavailable', 'down');
          return 0;
        },
      },
      clock: manualClock(),
    });
    await expect(limiter.reserve('k')).rejects.toMatchObject({ code: 'storage_unavailable' });
    isDown = false;
    await expect(limiter.reserve('k')).resolves.toBeDefined();
  });
});

test('refusals are counted by limit', async () => {
  const { limiter } = limiterForTest({ requestsPerMinute: 1 });
  await limiter.reserve('k');
  await limiter.reserve('k').catch(() => {});
  await limiter.reserve('other');
  expect(limiter.refusals()).toEqual({ requests: 1, tokens: 0, budget: 0 });
});

test('calls of one price never spend more than the budget, however many run at once and in whatever order they end', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 20, max: 40 }),
      fc.array(fc.tuple(fc.nat(3), fc.nat(20), fc.boolean()), { minLength: 50, maxLength: 150 }),
      async (price, shares, steps) => {
        // The price is at most a twentieth of it: what the first call sets aside.
        const budget = price * shares;
        const { limiter } = limiterForTest({ nanoUsdPerDay: budget });
        const running: CallReservation[] = [];
        let spent = 0;
        for (const [step, index, wasCutShort] of steps) {
          if (step > 0) {
            const call = await limiter.reserve('k').catch(() => null);
            if (call !== null) running.push(call);
            continue;
          }
          const [ended] = running.splice(index % Math.max(1, running.length), 1);
          if (ended === undefined) continue;
          spent += price;
          ended.settle({ tokens: null, costNanoUsd: wasCutShort ? null : price, wasCutShort });
        }
        expect(spent + running.length * price).toBeLessThanOrEqual(budget);
      },
    ),
  );
});
