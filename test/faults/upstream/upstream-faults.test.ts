import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { noteFigure } from '../../helpers/fault-figures.ts';
import {
  callThrough,
  faultFolder,
  LIMITS_MS,
  type Recorded,
  recordedOf,
  type Seen,
  SURFACES,
  type Surface,
} from '../../helpers/fault-gateway.ts';
import { type FaultyUpstream, SOUND_TEXT, startFaultyUpstream } from '../../helpers/faulty-upstream.ts';
import { type GatewayProcess, processBench } from '../../helpers/gateway-process.ts';
import { ENDLESS, FAULTS_AFTER_CONTENT, FAULTS_BEFORE_CONTENT, ODD_ANSWERS } from './fault-replies.ts';

/** The bounds that hold for every request, whatever the upstream does. */
const MAX_UPSTREAM_CALLS = 3;

const bench = processBench();
let faulty: FaultyUpstream;
let sound: FaultyUpstream;
let gateway: GatewayProcess;
let url: string;
let calls = 0;

beforeAll(async () => {
  faulty = await startFaultyUpstream({
    ...FAULTS_BEFORE_CONTENT,
    ...ODD_ANSWERS,
    ...FAULTS_AFTER_CONTENT,
    ...ENDLESS,
  });
  sound = await startFaultyUpstream({});
  const refused = await startFaultyUpstream({});
  await refused.close();
  const folder = await faultFolder(bench, {
    alone: [faulty.url],
    backed: [faulty.url, sound.url],
    refused: [refused.url],
    'refused-backed': [refused.url, sound.url],
  });
  gateway = bench.start(folder);
  url = await gateway.url;
});

afterAll(async () => {
  await bench.cleanUp();
  await faulty.close();
  await sound.close();
});

interface Observed {
  readonly surface: Surface;
  readonly seen: Seen;
  readonly rows: readonly Recorded[];
  readonly upstreamCalls: number;
  readonly sentMb: number;
}

/** One call by each surface, at once, and what the ledger and the upstream say about it. */
async function play(
  route: string,
  fault: string,
  surfaces: readonly Surface[] = SURFACES,
): Promise<Observed[]> {
  return Promise.all(
    surfaces.map(async (surface) => {
      calls += 1;
      const token = `${fault}-${calls}`;
      const seen = await callThrough(url, { surface, route, fault, token });
      const rows = await recordedOf(url, token);
      const { calls: upstreamCalls, sentBytes } = faulty.traceOf(token);
      return { surface, seen, rows, upstreamCalls, sentMb: sentBytes / 1_048_576 };
    }),
  );
}

/** Holds after every fault: one row, few upstream calls, nothing internal, nothing of the upstream's page. */
function expectBounds({ surface, seen, rows, upstreamCalls }: Observed): void {
  expect([surface, rows.length]).toEqual([surface, 1]);
  expect([surface, seen.status === 500, seen.code === 'internal']).toEqual([surface, false, false]);
  expect(upstreamCalls).toBeLessThanOrEqual(MAX_UPSTREAM_CALLS);
  expect(seen.raw).not.toContain('secret-page');
  expect(gateway.child.exitCode).toBeNull();
}

/** Status, code and the class of each upstream call. */
type Refusal = readonly [status: number, code: string, ...attempts: string[]];

const UNAVAILABLE_TWICE: Refusal = [502, 'provider_unavailable', 'connection', 'connection'];
const BAD_ANSWER: Refusal = [502, 'provider_bad_response', 'bad_response'];

describe('an upstream that fails before any content', () => {
  const refusals: readonly (readonly [fault: string, refusal: Refusal])[] = [
    ['status-500', [502, 'provider_unavailable', 'server', 'server']],
    ['status-502-page', [502, 'provider_unavailable', 'server', 'server']],
    ['status-503', [502, 'provider_unavailable', 'server', 'server']],
    ['status-429', [429, 'rate_limited', 'rate_limit']],
    ['redirect', BAD_ANSWER],
    ['reset-before-headers', UNAVAILABLE_TWICE],
    ['closed-before-headers', UNAVAILABLE_TWICE],
    ['reset-after-headers', UNAVAILABLE_TWICE],
    ['not-http', BAD_ANSWER],
    ['endless-headers', BAD_ANSWER],
    ['page-200', BAD_ANSWER],
    ['empty-200', BAD_ANSWER],
    ['error-within-200', [502, 'provider_unavailable', 'server', 'server']],
    ['cut-json', BAD_ANSWER],
    ['short-of-content-length', UNAVAILABLE_TWICE],
    ['beyond-content-length', BAD_ANSWER],
    ['not-a-number-usage', BAD_ANSWER],
    ['negative-usage', BAD_ANSWER],
    ['text-usage', BAD_ANSWER],
    ['infinite-usage', BAD_ANSWER],
    ['huge-usage', BAD_ANSWER],
    ['deep-usage', BAD_ANSWER],
    ['deep-message', BAD_ANSWER],
    ['deep-logprobs', BAD_ANSWER],
    ['no-choices', BAD_ANSWER],
    ['null-message', BAD_ANSWER],
    ['number-content', BAD_ANSWER],
  ];

  test.each(refusals)('%s is refused and recorded by its class', async (fault, refusal) => {
    const [status, code, ...attempts] = refusal;

    for (const observed of await play('alone', fault)) {
      const { surface, seen, rows } = observed;
      expectBounds(observed);
      expect([surface, seen.status, seen.code, seen.text]).toEqual([surface, status, code, '']);
      expect(rows[0]).toMatchObject({ status: 'error', code, attempts, text: null });
    }
  });

  test.each(Object.keys(FAULTS_BEFORE_CONTENT).filter((fault) => !fault.endsWith('-once')))(
    '%s is answered by the second target',
    async (fault) => {
      for (const observed of await play('backed', fault)) {
        const { surface, seen, rows } = observed;
        expectBounds(observed);
        expect([surface, seen.status, seen.text, seen.isComplete]).toEqual([surface, 200, SOUND_TEXT, true]);
        expect(rows[0]).toMatchObject({ status: 'ok', provider: 'backed-2', text: SOUND_TEXT });
        expect(rows[0]?.attempts.at(-1)).toBe('ok');
      }
    },
  );

  test.each(['status-500-once', 'status-429-once'])('%s is tried again', async (fault) => {
    for (const observed of await play('alone', fault)) {
      expectBounds(observed);
      expect(observed.seen).toMatchObject({ status: 200, text: SOUND_TEXT, isComplete: true });
      expect(observed.rows[0]).toMatchObject({ status: 'ok', inputTokens: 31, outputTokens: 18 });
      expect(observed.upstreamCalls).toBe(2);
    }
  });

  test('a rate limit tells the caller when the upstream wants to be asked again', async () => {
    for (const { seen } of await play('alone', 'status-429')) expect(seen.retryAfter).toBe('7');
  });

  test('a refused connection is refused, and answered by the second target', async () => {
    for (const observed of await play('refused', 'ok')) {
      expectBounds(observed);
      expect(observed.seen).toMatchObject({ status: 502, code: 'provider_unavailable' });
      expect(observed.rows[0]).toMatchObject({ status: 'error', attempts: ['connection', 'connection'] });
    }
    for (const observed of await play('refused-backed', 'ok')) {
      expect(observed.seen).toMatchObject({ status: 200, text: SOUND_TEXT });
      expect(observed.rows[0]).toMatchObject({ status: 'ok', provider: 'refused-backed-2' });
    }
  });
});

describe('an upstream that claims too much beside its text', () => {
  test.each(Object.keys(ODD_ANSWERS))('%s is answered without a cost', async (fault) => {
    for (const observed of await play('alone', fault)) {
      expectBounds(observed);
      expect(observed.seen).toMatchObject({ status: 200, text: SOUND_TEXT, isComplete: true });
      expect(observed.rows[0]).toMatchObject({
        status: 'ok',
        text: SOUND_TEXT,
        inputTokens: 31,
        costUsd: null,
      });
    }
  });
});

describe('an upstream that fails in the middle of a stream', () => {
  test.each([
    ['stream-cut', 'provider_unavailable', 'connection'],
    ['stream-reset', 'provider_unavailable', 'connection'],
    ['stream-ends-early', 'provider_unavailable', 'connection'],
    ['stream-error-event', 'provider_unavailable', 'server'],
    ['stream-bad-json', 'provider_bad_response', 'bad_response'],
    ['stream-not-a-number-usage', 'provider_bad_response', 'bad_response'],
    ['stream-negative-usage', 'provider_bad_response', 'bad_response'],
    ['stream-hangs', 'provider_timeout', 'timeout'],
    ['stream-drips', 'provider_timeout', 'timeout'],
  ])('%s ends with an error event and is never played again', async (fault, code, attempt) => {
    // A second target stands ready: what was sent must not be mixed with what it would say.
    for (const observed of await play('backed', fault, ['generate-stream', 'chat-stream'])) {
      const { surface, seen, rows } = observed;
      expectBounds(observed);
      expect([surface, seen.status, seen.code, seen.text]).toEqual([surface, 200, code, 'Take']);
      expect([surface, seen.isComplete]).toEqual([surface, false]);
      expect(rows[0]).toMatchObject({
        status: 'incomplete',
        code,
        text: 'Take',
        attempts: [attempt],
        provider: 'backed-1',
      });
    }
  });

  test('keeps the tokens that were counted before the cut', async () => {
    for (const { rows } of await play('alone', 'stream-cut-with-usage', ['generate-stream', 'chat-stream'])) {
      expect(rows[0]).toMatchObject({ status: 'incomplete', inputTokens: 31, outputTokens: 1 });
    }
  });
});

describe('an upstream that never ends', () => {
  /** Noise of a busy machine only adds: the soonest of a few calls shows where the limit lies. */
  const ROUNDS = 3;
  const TOLERANCE_MS = 100;
  const beyondMs: number[] = [];

  afterAll(() => {
    const [least, most] = [Math.min(...beyondMs), Math.max(...beyondMs)].map((ms) => ms.toFixed(0));
    noteFigure('deadline', `${beyondMs.length} calls ended ${least} to ${most} ms after their limit`);
  });

  test.each([
    ['hang', ['generate', 'chat'], LIMITS_MS.total],
    ['hang-after-headers', ['generate', 'chat'], LIMITS_MS.total],
    ['drip', ['generate', 'chat'], LIMITS_MS.total],
    ['slow-stream', ['generate-stream', 'chat-stream'], LIMITS_MS.total],
    ['stream-hangs', ['generate-stream', 'chat-stream'], LIMITS_MS.idle],
    ['stream-drips', ['generate-stream', 'chat-stream'], LIMITS_MS.idle],
    // Two tries, each with its own limit for the first content.
    ['hang', ['generate-stream', 'chat-stream'], 2 * LIMITS_MS.firstToken],
    ['drip', ['generate-stream', 'chat-stream'], 2 * LIMITS_MS.firstToken],
  ] as const)('%s by %j is ended at its limit of %d ms', async (fault, surfaces, limitMs) => {
    const durationsMs: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const observed of await play('alone', fault, surfaces)) {
        expectBounds(observed);
        expect(observed.seen.code).toBe('provider_timeout');
        expect([200, 504]).toContain(observed.seen.status);
        expect(observed.rows[0]?.code).toBe('provider_timeout');
        durationsMs.push(observed.seen.durationMs);
        beyondMs.push(observed.seen.durationMs - limitMs);
      }
    }

    // The waits between two tries are drawn, at most 10 ms each here.
    expect(Math.min(...durationsMs)).toBeGreaterThan(limitMs - 5);
    expect(Math.min(...durationsMs)).toBeLessThan(limitMs + TOLERANCE_MS);
  });
});

describe('an upstream that answers 100 MB', () => {
  /** The limit of an answer, and what fits into the buffers of two sockets. */
  const MAX_SENT_MB = 8 + 8;
  const ROUNDS = 3;

  test.each([
    ['huge-answer', ['generate', 'chat'], [502, 'error'], 100],
    ['huge-chunked-answer', ['generate', 'chat'], [502, 'error'], 100],
    ['huge-event', ['generate-stream', 'chat-stream'], [502, 'error'], 100],
    // Content up to the limit was sent on and is recorded, eight thousand events a call: it passes through three threads.
    ['huge-content', ['generate-stream', 'chat-stream'], [200, 'incomplete'], 450],
  ] as const)(
    '%s by %j is cut off at the limit, and memory stays',
    async (fault, surfaces, ending, maxGrowthMb) => {
      const before = residentMb();
      let peak = before;
      const looking = setInterval(() => {
        peak = Math.max(peak, residentMb());
      }, 20);
      for (let round = 0; round < ROUNDS; round += 1) {
        for (const observed of await play('alone', fault, surfaces)) {
          expectBounds(observed);
          const { seen, rows, sentMb } = observed;
          expect(seen.code).toBe('provider_bad_response');
          expect([seen.status, rows[0]?.status]).toEqual(ending);
          expect(sentMb).toBeLessThan(MAX_SENT_MB);
        }
      }
      clearInterval(looking);

      expect(peak - before).toBeLessThan(maxGrowthMb);
      noteFigure(fault, `RSS +${(peak - before).toFixed(0)} MB`);
    },
  );

  function residentMb(): number {
    const status = readFileSync(`/proc/${gateway.child.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024;
  }
});
