import { describe, expect, test } from '@jest/globals';

import { createKeyGuard, createKeyRing, type KeyRequest } from '../../../src/access/index.ts';
import { AppError, createLogger, silentLogger } from '../../../src/kernel/index.ts';
import { manualClock } from '../../fakes/manual-clock.ts';
import { memoryApiKeys } from '../../fakes/memory-api-keys.ts';

const REQUEST: KeyRequest = {
  name: 'recommender',
  scopes: ['generate'],
  expiresAtMs: null,
  limits: { requestsPerMinute: null, tokensPerMinute: null, nanoUsdPerDay: null },
  actor: 'local',
};
const WRONG = `pgw_aaaaaaaaaaaa_${'x'.repeat(43)}`;
const THERE = '10.0.0.1';
const ELSEWHERE = '10.0.0.2';

async function guardForTest(logged: string[] = []) {
  const clock = manualClock();
  const keys = createKeyRing({ store: memoryApiKeys(), clock, logger: silentLogger });
  const links = {
    redeem: async (token: string) => {
      const reason = token === 'used' ? 'used' : 'unknown';
      throw new AppError('unauthorized', 'no such link', { details: { reason } });
    },
  };
  const logger = createLogger('warn', { write: (line: string) => logged.push(line) });
  const guard = createKeyGuard({ keys, links, maxWrongPerMinute: 3, clock, logger });
  const guess = (source = THERE): string => {
    try {
      guard.authenticate(WRONG, source);
      return 'let in';
    } catch (error) {
      return error instanceof AppError ? error.code : 'another error';
    }
  };
  const { key, text } = await keys.create(REQUEST);
  return { clock, keys, guard, guess, key, text, logged };
}

describe('after too many wrong keys', () => {
  test('no further one from there is looked at, not even the right one', async () => {
    const { guess, guard, text } = await guardForTest();

    expect([guess(), guess(), guess()]).toEqual(['unauthorized', 'unauthorized', 'unauthorized']);
    expect(guess()).toBe('rate_limited');
    expect(() => guard.authenticate(text, THERE)).toThrow(
      expect.objectContaining({ code: 'rate_limited', retryAfterMs: 60_000 }),
    );
    expect(guard.guesses()).toEqual({ wrong: 3, refused: 2 });
  });

  test('keys from elsewhere get in as before', async () => {
    const { guess, guard, key, text } = await guardForTest();
    for (let n = 0; n < 10; n += 1) guess();

    expect(guard.authenticate(text, ELSEWHERE).keyId).toBe(key.id);
  });

  test('a key that came in from there before gets in, and a wrong secret for it does not', async () => {
    const { guess, guard, key, text } = await guardForTest();
    guard.authenticate(text, THERE);
    for (let n = 0; n < 10; n += 1) guess();
    const wrongSecret = `${text.slice(0, -1)}${text.endsWith('A') ? 'E' : 'A'}`;

    expect(guard.authenticate(text, THERE).keyId).toBe(key.id);
    expect(() => guard.authenticate(wrongSecret, THERE)).toThrow(
      expect.objectContaining({ code: 'rate_limited' }),
    );
  });

  test('the source is free again when the minute is over, however long it went on', async () => {
    const { guess, guard, clock, key, text } = await guardForTest();
    guess();
    await clock.advance(59_000);
    for (let n = 0; n < 10; n += 1) guess();
    expect(guess()).toBe('rate_limited');

    await clock.advance(1_000);
    expect(guard.authenticate(text, THERE).keyId).toBe(key.id);
    expect(guess()).toBe('unauthorized');
  });

  test('sign-in links are not looked at either, and wrong ones count', async () => {
    const { guess, guard } = await guardForTest();
    for (const token of ['x', 'y', 'used', 'used', 'z']) {
      await expect(guard.redeem(token, THERE)).rejects.toMatchObject({ code: 'unauthorized' });
    }

    await expect(guard.redeem('w', THERE)).rejects.toMatchObject({ code: 'rate_limited' });
    expect(guess()).toBe('rate_limited');
  });

  test('one line of the log says where they came from, not which they were', async () => {
    const { guess, logged } = await guardForTest();
    for (let n = 0; n < 10; n += 1) guess();

    expect(logged).toHaveLength(1);
    expect(JSON.parse(logged[0] ?? '{}')).toMatchObject({ event: 'keys_guessed', source: THERE, wrong: 3 });
    expect(logged[0]).not.toContain('xxx');
  });
});

test.each(['', 'sk-proj-abc', 'pgw_short_x', `${WRONG}\n`])(
  'what has not the form of a key (%j) is no guess',
  async (text) => {
    const { guard, guess } = await guardForTest();
    for (let n = 0; n < 10; n += 1) expect(() => guard.authenticate(text, THERE)).toThrow('malformed');

    expect(guess()).toBe('unauthorized');
    expect(guard.guesses()).toEqual({ wrong: 1, refused: 0 });
  },
);

test('a client that runs on with a revoked key shuts nobody out', async () => {
  const { guard, keys, key, text, guess } = await guardForTest();
  await keys.revoke(key.id, 'left', 'local');
  for (let n = 0; n < 10; n += 1) expect(() => guard.authenticate(text, THERE)).toThrow('revoked');

  expect(guess()).toBe('unauthorized');
});

test('whoever has many addresses does not fill the memory', async () => {
  const { guess, guard } = await guardForTest();
  for (let n = 0; n < 3; n += 1) guess('first');
  expect(guess('first')).toBe('rate_limited');
  for (let n = 0; n < 10_000; n += 1) guess(`source ${n}`);

  // The oldest has given way: it is looked at again.
  expect(guess('first')).toBe('unauthorized');
  expect(guard.guesses().refused).toBe(1);
});
