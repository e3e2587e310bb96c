import { type Caller, openCaller } from './caller.ts';
import type { RequestSet } from './load.ts';

/** What a soak has sent so far, and what came of it. */
export interface SoakTally {
  sent: number;
  /** Whole answers and whole streams of generations, each checked. */
  generations: number;
  scores: number;
  outcomes: number;
  reports: number;
  /** Callers who left without waiting for their answer. */
  left: number;
  /** Those of them who had got nothing of it by then. */
  aborted: number;
  errors: number;
  firstError: string | null;
}

export interface SoakLoadOptions {
  readonly url: string;
  /** Requests per second of all callers together. */
  readonly ratePerSecond: number;
  readonly callers: number;
  readonly seconds: number;
  /** Of the provider: callers who leave do so within it. */
  readonly providerDelayMs: number;
  /** What every answer of a generation holds. */
  readonly text: string;
}

export interface SoakLoad {
  readonly tally: SoakTally;
  /** Times of whole generations since the last look, in milliseconds. */
  takeTimesMs(): readonly number[];
  /** Times of each report so far, in order, in milliseconds. */
  readonly reportTimesMs: ReadonlyMap<string, readonly number[]>;
  run(): Promise<void>;
}

/** Twenty requests in a row: every tenth caller leaves. A report is read in every tenth such row. */
const MIX = [
  ...['leave-whole', 'whole', 'stream', 'whole', 'feedback', 'whole', 'stream', 'score', 'whole', 'feedback'],
  ...['leave-stream', 'whole', 'stream', 'whole', 'score', 'whole', 'stream', 'whole', 'feedback', 'report'],
] as const;

const ROWS_PER_REPORT = 10;

const REPORTS = [
  '/analytics/prompts/tip/versions',
  '/analytics/overview',
  '/generations?limit=50',
  '/analytics/prompts/tip/timeseries?metric=completed',
  '/analytics/experiments/tone',
  '/metrics',
] as const;

const USERS = 512;
const JSON_HEADERS = { 'content-type': 'application/json' } as const;
/** The policy of the shipped configuration. */
const CANDIDATES = [
  { id: 'walk', features: { novelty: 0.4, effort: 0.2, category: 'body' } },
  { id: 'plan', features: { novelty: 0.1, effort: 0.6, category: 'planning' } },
  { id: 'rest', features: { novelty: 0.8, effort: 0.1, category: 'calm' } },
];

interface CallerState {
  readonly whole: Caller;
  readonly streamed: Caller;
  readonly score: Caller;
  /** What the next feedback is about. */
  target: { readonly generation_id: string } | { readonly score_id: string } | null;
}

export function soakLoad(options: SoakLoadOptions): SoakLoad {
  const { url, seconds, ratePerSecond } = options;
  const tally: SoakTally = {
    sent: 0,
    generations: 0,
    scores: 0,
    outcomes: 0,
    reports: 0,
    left: 0,
    aborted: 0,
    errors: 0,
    firstError: null,
  };
  let timesMs: number[] = [];
  const reportTimesMs = new Map<string, number[]>();

  const oneRequest = async (number: number, state: CallerState): Promise<void> => {
    const row = Math.floor(number / MIX.length);
    const mixed = MIX[number % MIX.length] ?? 'whole';
    const kind = mixed === 'report' && row % ROWS_PER_REPORT !== 0 ? 'whole' : mixed;
    switch (kind) {
      case 'leave-whole':
      case 'leave-stream': {
        const caller = kind === 'leave-whole' ? state.whole : state.streamed;
        const afterMs = (row % options.providerDelayMs) + 1;
        tally.left += 1;
        if (await caller.abort(number, afterMs)) tally.aborted += 1;
        return;
      }
      case 'whole': {
        const startedMs = performance.now();
        const { status, text } = await state.whole.send(number);
        if (status !== 200 || !text.includes(options.text)) throw new Error(`/generate ${status}: ${text}`);
        timesMs.push(performance.now() - startedMs);
        state.target = { generation_id: idIn(text) };
        tally.generations += 1;
        return;
      }
      case 'stream': {
        const { status, text } = await state.streamed.send(number);
        if (status !== 200 || !text.includes('event: end\n')) throw new Error(`stream ${status}: ${text}`);
        tally.generations += 1;
        return;
      }
      case 'score': {
        const { status, text } = await state.score.send(number);
        if (status !== 200) throw new Error(`/score ${status}: ${text}`);
        state.target = { score_id: idIn(text) };
        tally.scores += 1;
        return;
      }
      case 'feedback': {
        if (state.target === null) return;
        const body = JSON.stringify({ ...state.target, metric: 'completed', value: number % 3 === 0 });
        await expectOk(`${url}/feedback`, { method: 'POST', headers: JSON_HEADERS, body });
        tally.outcomes += 1;
        return;
      }
      case 'report': {
        const path = REPORTS[(row / ROWS_PER_REPORT) % REPORTS.length] ?? '/metrics';
        const startedMs = performance.now();
        await expectOk(url + path, {});
        const times = reportTimesMs.get(path) ?? [];
        times.push(performance.now() - startedMs);
        reportTimesMs.set(path, times);
        tally.reports += 1;
        return;
      }
      default: {
        const never: never = kind;
        throw new Error(`no request ${String(never)}`);
      }
    }
  };

  const oneCaller = async (startedMs: number): Promise<void> => {
    const state: CallerState = {
      whole: openCaller(url, generateRequests(false)),
      streamed: openCaller(url, generateRequests(true)),
      score: openCaller(url, SCORES),
      target: null,
    };
    for (;;) {
      const number = tally.sent;
      const dueMs = startedMs + (number / ratePerSecond) * 1_000;
      if (Math.max(dueMs, performance.now()) >= startedMs + seconds * 1_000) break;
      tally.sent += 1;
      await new Promise((due) => setTimeout(due, Math.max(0, dueMs - performance.now())));
      try {
        await oneRequest(number, state);
      } catch (error) {
        tally.errors += 1;
        tally.firstError ??= String(error).slice(0, 500);
      }
    }
    for (const caller of [state.whole, state.streamed, state.score]) caller.close();
  };

  return {
    tally,
    reportTimesMs,
    takeTimesMs: () => {
      const taken = timesMs;
      timesMs = [];
      return taken;
    },
    run: async () => {
      const startedMs = performance.now();
      await Promise.all(Array.from({ length: options.callers }, () => oneCaller(startedMs)));
    },
  };
}

function generateRequests(stream: boolean): RequestSet {
  const bodies = Array.from({ length: USERS }, (_, user) =>
    JSON.stringify({
      prompt: 'tip',
      prompt_version: user % 4 === 0 ? 'v9' : '@live',
      variables: { goal: `goal ${user}`, mood: 'tired' },
      user_id: `user-${user}`,
      stream,
    }),
  );
  return { path: '/generate', headers: JSON_HEADERS, bodies };
}

const SCORES: RequestSet = {
  path: '/score',
  headers: JSON_HEADERS,
  bodies: Array.from({ length: USERS }, (_, user) =>
    JSON.stringify({
      candidates: CANDIDATES,
      profile_features: {
        completion_rate: (user % 10) / 10,
        preferred_hour: user % 24,
        tip_volume: user % 50,
      },
      user_id: `user-${user}`,
    }),
  ),
};

function idIn(text: string): string {
  const id = /"id":"([^"]+)"/.exec(text)?.[1];
  if (id === undefined) throw new Error(`an answer without id: ${text}`);
  return id;
}

async function expectOk(address: string, init: RequestInit): Promise<void> {
  const response = await fetch(address, init);
  const text = await response.text();
  if (!response.ok) throw new Error(`${address} ${response.status}: ${text}`);
}
