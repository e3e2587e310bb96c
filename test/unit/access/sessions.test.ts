import { describe, expect, test } from '@jest/globals';

import { createSessions, createSignInLinks, SESSION_MS } from '../../../src/access/index.ts';
import { manualClock } from '../../fakes/manual-clock.ts';

const SIGNING_KEY = new Uint8Array(32).fill(7);

describe('a session', () => {
  test('is read back from its cookie until it expires', async () => {
    const clock = manualClock();
    const sessions = createSessions(SIGNING_KEY, clock);
    const { session, cookie } = sessions.issue('key1');
    expect(sessions.read(cookie)).toEqual(session);
    await clock.advance(SESSION_MS - 1);
    expect(sessions.read(cookie)).toEqual(session);
    await clock.advance(1);
    expect(sessions.read(cookie)).toBeNull();
  });

  test('is read by every process with the same signing key, and by no other', () => {
    const clock = manualClock();
    const { cookie } = createSessions(SIGNING_KEY, clock).issue('key1');
    expect(createSessions(SIGNING_KEY, clock).read(cookie)?.keyId).toBe('key1');
    expect(createSessions(new Uint8Array(32).fill(8), clock).read(cookie)).toBeNull();
  });

  test.each([
    ['nothing', () => ''],
    ['noise', () => 'a.b.c'],
    ['no signature', (cookie: string) => cookie.split('.')[0] ?? ''],
    ['a cut signature', (cookie: string) => cookie.slice(0, -3)],
    [
      'another payload',
      (cookie: string) => {
        const payload = JSON.stringify({ keyId: 'admin', nonce: 'n', expiresAtMs: Number.MAX_SAFE_INTEGER });
        return `${Buffer.from(payload).toString('base64url')}.${cookie.split('.')[1]}`;
      },
    ],
  ])('cannot be forged with %s', (_what, forge) => {
    const sessions = createSessions(SIGNING_KEY, manualClock());
    expect(sessions.read(forge(sessions.issue('key1').cookie))).toBeNull();
  });

  test('ends when it is signed out, and leaves the others alone', () => {
    const sessions = createSessions(SIGNING_KEY, manualClock());
    const mine = sessions.issue('key1');
    const other = sessions.issue('key1');
    sessions.signOut(mine.session);
    expect(sessions.read(mine.cookie)).toBeNull();
    expect(sessions.read(other.cookie)).not.toBeNull();
  });

  test('has a token of its own that no other session can use', () => {
    const sessions = createSessions(SIGNING_KEY, manualClock());
    const mine = sessions.issue('key1').session;
    const other = sessions.issue('key1').session;
    expect(sessions.isCsrfToken(mine, sessions.csrfToken(mine))).toBe(true);
    expect(sessions.isCsrfToken(mine, sessions.csrfToken(other))).toBe(false);
    expect(sessions.isCsrfToken(mine, '')).toBe(false);
  });
});

describe('a one-time link', () => {
  function linksForTest() {
    const clock = manualClock();
    const tokens = new Map<string, { expiresAtMs: number; used: boolean }>();
    const links = createSignInLinks(
      {
        appendToken: async ({ tokenSha256, expiresAtMs }) => {
          tokens.set(tokenSha256, { expiresAtMs, used: false });
        },
        useToken: async (tokenSha256, nowMs) => {
          const token = tokens.get(tokenSha256);
          if (token === undefined) return 'unknown';
          if (token.used) return 'used';
          if (token.expiresAtMs <= nowMs) return 'expired';
          token.used = true;
          return 'signed_in';
        },
      },
      clock,
    );
    return { clock, links, tokens };
  }

  test('works once; a second use says so and what to do', async () => {
    const { links } = linksForTest();
    const token = await links.issue();
    await links.redeem(token);
    await expect(links.redeem(token)).rejects.toThrow('used before: each works once. Sign in with a key');
  });

  test('works for ten minutes, and its token is kept as a hash only', async () => {
    const { links, clock, tokens } = linksForTest();
    const token = await links.issue();
    expect([...tokens.keys()]).not.toContain(token);
    await clock.advance(10 * 60_000);
    await expect(links.redeem(token)).rejects.toThrow('too old');
  });

  test('that nobody issued is refused', async () => {
    const { links } = linksForTest();
    await expect(links.redeem('x')).rejects.toMatchObject({ code: 'unauthorized' });
  });
});
