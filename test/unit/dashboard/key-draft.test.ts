import { describe, expect, test } from '@jest/globals';
import {
  draftBody,
  draftFault,
  emptyDraft,
  type KeyDraft,
  withScope,
} from '../../../src/dashboard/keys/key-draft.ts';
import { keyCreateSchema } from '../../../src/http/schemas/access-schema.ts';

const NOW_MS = Date.UTC(2026, 10, 23, 10);
const DRAFT: KeyDraft = { ...emptyDraft(false), name: 'recommender', scopes: ['generate'] };

describe('a draft of a key', () => {
  test('is for an admin when it is the first key: nobody else could make the next', () => {
    expect(emptyDraft(true).scopes).toEqual(['admin']);
    expect(emptyDraft(false).scopes).toEqual([]);
  });

  test('takes scopes and gives them back', () => {
    const both = withScope(DRAFT, 'feedback', true);

    expect(both.scopes).toEqual(['generate', 'feedback']);
    expect(withScope(both, 'generate', false).scopes).toEqual(['feedback']);
    expect(withScope(both, 'generate', true).scopes).toHaveLength(2);
  });

  test.each<[string, Partial<KeyDraft>, RegExp]>([
    ['without a name', { name: '  ' }, /name/],
    ['that may do nothing', { scopes: [] }, /may do/],
    ['with half a request', { requestsPerMinute: '0.5' }, /Requests/],
    ['with no request at all', { requestsPerMinute: '0' }, /Requests/],
    ['with tokens in words', { tokensPerMinute: 'many' }, /Tokens/],
    ['with a budget below nothing', { usdPerDay: '-1' }, /dollars/],
    ['with an endless budget', { usdPerDay: 'Infinity' }, /dollars/],
  ])('%s is not sent', (_name, changes, fault) => {
    expect(draftFault({ ...DRAFT, ...changes })).toMatch(fault);
  });

  test('becomes a body that the gateway takes, with what was left empty as no limit', () => {
    const full = {
      ...DRAFT,
      name: ' recommender ',
      expiresInDays: '90',
      requestsPerMinute: '60',
      tokensPerMinute: '10000',
      usdPerDay: '2.5',
    };

    expect(draftFault(full)).toBeNull();
    expect(keyCreateSchema.parse(draftBody(full, NOW_MS))).toEqual({
      name: 'recommender',
      scopes: ['generate'],
      expires_at: '2027-02-21T10:00:00.000Z',
      requests_per_minute: 60,
      tokens_per_minute: 10_000,
      usd_per_day: 2.5,
    });
    expect(keyCreateSchema.parse(draftBody(DRAFT, NOW_MS))).toMatchObject({
      expires_at: null,
      requests_per_minute: null,
      usd_per_day: null,
    });
  });
});
