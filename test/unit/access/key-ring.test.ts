import { describe, expect, test } from '@jest/globals';

import { createKeyRing, type KeyRequest } from '../../../src/access/index.ts';
import { createLogger, silentLogger } from '../../../src/kernel/index.ts';
import { manualClock } from '../../fakes/manual-clock.ts';
import { memoryApiKeys } from '../../fakes/memory-api-keys.ts';

const REQUEST: KeyRequest = {
  name: 'recommender',
  scopes: ['feedback', 'generate'],
  expiresAtMs: null,
  limits: { requestsPerMinute: null, tokensPerMinute: null, nanoUsdPerDay: null },
  actor: 'local',
};

function ringForTest() {
  const clock = manualClock();
  const store = memoryApiKeys();
  return { clock, store, ring: createKeyRing({ store, clock, logger: silentLogger }) };
}

describe('a key', () => {
  test('has the form pgw_<id>_<secret>, works, and leaves only the hash of its secret behind', async () => {
    const { ring, store } = ringForTest();
    const { key, text } = await ring.create(REQUEST);

    expect(text).toMatch(/^pgw_[a-z2-9]{12}_[A-Za-z0-9_-]{43}$/);
    expect(ring.authenticate(text)).toMatchObject({ keyId: key.id, scopes: ['generate', 'feedback'] });
    const [, , ...secret] = text.split('_');
    expect(JSON.stringify([...store.keys.values()])).not.toContain(secret.join('_'));
    expect(JSON.stringify(ring.list())).not.toContain('secret');
  });

  test.each([
    ['', 'malformed'],
    ['sk-proj-abc', 'malformed'],
    ['pgw_short_x', 'malformed'],
    [`pgw_aaaaaaaaaaaa_${'x'.repeat(43)}`, 'unknown'],
  ])('%j is refused as %s', async (text, reason) => {
    const { ring } = ringForTest();
    await ring.create(REQUEST);
    expect(() => ring.authenticate(text)).toThrow(reason);
  });

  test('with a wrong secret is told like an unknown one', async () => {
    const { ring } = ringForTest();
    const { text } = await ring.create(REQUEST);
    const wrong = text.slice(0, -1) + (text.endsWith('A') ? 'B' : 'A');
    expect(() => ring.authenticate(wrong)).toThrow('unknown');
  });

  test('stops working at its expiry, saying when that was', async () => {
    const { ring, clock } = ringForTest();
    const expiresAtMs = clock.nowMs() + 1_000;
    const { key, text } = await ring.create({ ...REQUEST, expiresAtMs });
    expect(ring.principal(key.id)).not.toBeNull();
    await clock.advance(1_000);
    expect(() => ring.authenticate(text)).toThrow(`expired at ${new Date(expiresAtMs).toISOString()}`);
    expect(ring.principal(key.id)).toBeNull();
  });

  test('stops working when it is revoked, and revoking it again changes nothing', async () => {
    const { ring, clock } = ringForTest();
    const { key, text } = await ring.create(REQUEST);
    const first = await ring.revoke(key.id, 'leaked', 'local');
    await clock.advance(5_000);
    const second = await ring.revoke(key.id, 'leaked twice', 'local');
    expect(() => ring.authenticate(text)).toThrow('revoked');
    expect(second).toEqual(first);
    expect(first.revokedReason).toBe('leaked');
  });
});

test('a gateway is open until its first key, and stays shut when the last key is revoked', async () => {
  const { ring } = ringForTest();
  await ring.load();
  expect(ring.isOpen()).toBe(true);
  const { key } = await ring.create(REQUEST);
  expect(ring.isOpen()).toBe(false);
  await ring.revoke(key.id, 'over', 'local');
  expect(ring.isOpen()).toBe(false);
});

test('a revocation by another process is in force after one poll', async () => {
  const { store, clock } = ringForTest();
  const here = createKeyRing({ store, clock, logger: silentLogger });
  const elsewhere = createKeyRing({ store, clock, logger: silentLogger });
  const { key, text } = await here.create(REQUEST);
  await elsewhere.load();
  elsewhere.start();
  expect(elsewhere.authenticate(text).keyId).toBe(key.id);
  await here.revoke(key.id, 'leaked', 'local');
  await clock.advance(250);
  expect(() => elsewhere.authenticate(text)).toThrow('revoked');
  await elsewhere.close();
});

test('a store that does not answer leaves the last known keys in force', async () => {
  const { ring, store, clock } = ringForTest();
  const { text } = await ring.create(REQUEST);
  ring.start();
  store.isDown = true;
  await clock.advance(1_000);
  expect(ring.authenticate(text)).toBeDefined();
  store.isDown = false;
  await ring.close();
});

test('the last use is noted once a minute, not with every call', async () => {
  const { ring, store, clock } = ringForTest();
  const { key, text } = await ring.create(REQUEST);
  ring.start();
  ring.authenticate(text);
  await clock.advance(1_000);
  expect(store.keys.get(key.id)?.lastUsedAtMs).toBeNull();
  for (let second = 0; second < 70; second += 1) await clock.advance(1_000);
  expect(store.keys.get(key.id)?.lastUsedAtMs).not.toBeNull();
  await ring.close();
});

test.each([
  [{ name: ' ' }, 'name'],
  [{ name: 'x'.repeat(81) }, 'name'],
  [{ scopes: [] }, 'scopes'],
  [{ name: 'a\u202eb' }, 'name'],
  [{ expiresAtMs: 0 }, 'expires_at'],
  [{ limits: { ...REQUEST.limits, requestsPerMinute: 0 } }, 'requests_per_minute'],
  [{ limits: { ...REQUEST.limits, tokensPerMinute: 1e12 } }, 'tokens_per_minute'],
  [{ limits: { ...REQUEST.limits, nanoUsdPerDay: 0 } }, 'usd_per_day'],
  [{ limits: { ...REQUEST.limits, nanoUsdPerDay: Number.POSITIVE_INFINITY } }, 'usd_per_day'],
  [{ limits: { ...REQUEST.limits, nanoUsdPerDay: Number.NaN } }, 'usd_per_day'],
])('refuses to make a key from %j, naming the field', async (change, path) => {
  const { ring } = ringForTest();
  await expect(ring.create({ ...REQUEST, ...change })).rejects.toMatchObject({
    code: 'invalid_request',
    faults: [expect.objectContaining({ path })],
  });
});

test('a key that does not exist cannot be revoked; a near id is named', async () => {
  const { ring } = ringForTest();
  const { key } = await ring.create(REQUEST);
  const wrong = `${key.id.slice(0, -1)}${key.id.endsWith('a') ? 'b' : 'a'}`;
  await expect(ring.revoke(wrong, 'leaked', 'local')).rejects.toMatchObject({ code: 'key_not_found' });
  await expect(ring.revoke(wrong, 'leaked', 'local')).rejects.toThrow(`did you mean ${key.id}?`);
});

test('no log line holds a secret', async () => {
  const lines: string[] = [];
  const clock = manualClock();
  const logger = createLogger('debug', { write: (line: string) => lines.push(line) });
  const ring = createKeyRing({ store: memoryApiKeys(), clock, logger });
  const { key, text } = await ring.create(REQUEST);
  ring.authenticate(text);
  await ring.revoke(key.id, 'leaked', 'local');
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.join('')).not.toContain(text.split('_').slice(2).join('_'));
});

test('a reading that another overtakes does not bring a revoked key back', async () => {
  const store = memoryApiKeys();
  let release = (): void => {};
  let isHeld = false;
  const list = async () => {
    const read = await store.list();
    if (isHeld) {
      isHeld = false;
      await new Promise<void>((resolve) => {
        release = resolve;
      });
    }
    return read;
  };
  const ring = createKeyRing({ store: { ...store, list }, clock: manualClock(), logger: silentLogger });
  const { key, text } = await ring.create(REQUEST);
  isHeld = true;
  const overtaken = ring.load();
  await new Promise((resolve) => setImmediate(resolve));
  await ring.revoke(key.id, 'leaked', 'local');
  release();
  await overtaken;
  expect(() => ring.authenticate(text)).toThrow('revoked');
});

describe('work that goes on', () => {
  test('ends when its key is revoked or expired, with the reason', async () => {
    const { ring, clock } = ringForTest();
    const { key } = await ring.create(REQUEST);
    const short = await ring.create({ ...REQUEST, expiresAtMs: clock.nowMs() + 1_000 });
    ring.requireInForce(key.id);
    ring.requireInForce(short.key.id);
    await ring.revoke(key.id, 'leaked', 'local');
    await clock.advance(1_000);
    expect(() => ring.requireInForce(key.id)).toThrow('revoked at');
    expect(() => ring.requireInForce(short.key.id)).toThrow('expired at');
  });

  test('of a gateway without keys goes on when the first key is made', async () => {
    const { ring } = ringForTest();
    await ring.create(REQUEST);
    expect(() => ring.requireInForce('local')).not.toThrow();
  });
});

test('names and reasons that would steer a terminal are refused', async () => {
  const { ring } = ringForTest();
  await expect(ring.create({ ...REQUEST, name: '\u001b[2Jgone' })).rejects.toMatchObject({
    faults: [expect.objectContaining({ path: 'name' })],
  });
  const { key } = await ring.create(REQUEST);
  await expect(ring.revoke(key.id, 'two\nlines', 'local')).rejects.toMatchObject({
    faults: [expect.objectContaining({ path: 'reason' })],
  });
});
