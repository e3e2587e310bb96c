/** Structure of `Scope`; spelled out, so that this file knows nothing of browsers. */
type Scope = 'generate' | 'feedback' | 'read' | 'admin';

/** A key as it is being written down: fields hold what was typed. */
export interface KeyDraft {
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Empty: never. */
  readonly expiresInDays: string;
  /** Empty: no limit. */
  readonly requestsPerMinute: string;
  readonly tokensPerMinute: string;
  readonly usdPerDay: string;
}

export const SCOPE_MEANINGS: readonly (readonly [scope: Scope, meaning: string])[] = [
  ['generate', 'call prompts and models'],
  ['feedback', 'report outcomes'],
  ['read', 'see reports, prompts and calls'],
  ['admin', 'everything: move labels, stop experiments, make keys'],
];

/** On a gateway without keys the first one must be able to make the others. */
export function emptyDraft(isFirstKey: boolean): KeyDraft {
  return {
    name: '',
    scopes: isFirstKey ? ['admin'] : [],
    expiresInDays: '',
    requestsPerMinute: '',
    tokensPerMinute: '',
    usdPerDay: '',
  };
}

export function withScope(draft: KeyDraft, scope: Scope, isChosen: boolean): KeyDraft {
  const others = draft.scopes.filter((one) => one !== scope);
  return { ...draft, scopes: isChosen ? [...others, scope] : others };
}

/** What hinders the draft, in words; null: it can be sent. The gateway checks the rest. */
export function draftFault(draft: KeyDraft): string | null {
  if (draft.name.trim() === '') return 'Give the key a name: who or what uses it.';
  if (draft.scopes.length === 0) return 'Choose what the key may do.';
  const isCount = (text: string): boolean => text === '' || /^[1-9]\d*$/.test(text);
  if (!isCount(draft.requestsPerMinute)) return 'Requests per minute: a whole number above 0, or nothing.';
  if (!isCount(draft.tokensPerMinute)) return 'Tokens per minute: a whole number above 0, or nothing.';
  const usd = Number(draft.usdPerDay);
  const isAmount = draft.usdPerDay === '' || (Number.isFinite(usd) && usd > 0);
  return isAmount ? null : 'US dollars per day: a number above 0, or nothing.';
}

const DAY_MS = 86_400_000;

/** The body of `POST /keys` for a draft without fault. */
export function draftBody(draft: KeyDraft, nowMs: number): Readonly<Record<string, unknown>> {
  const numberOrNull = (text: string): number | null => (text === '' ? null : Number(text));
  const days = numberOrNull(draft.expiresInDays);
  return {
    name: draft.name.trim(),
    scopes: draft.scopes,
    expires_at: days === null ? null : new Date(nowMs + days * DAY_MS).toISOString(),
    requests_per_minute: numberOrNull(draft.requestsPerMinute),
    tokens_per_minute: numberOrNull(draft.tokensPerMinute),
    usd_per_day: numberOrNull(draft.usdPerDay),
  };
}
