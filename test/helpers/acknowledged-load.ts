/** What a caller must do to be sure of a call: send it again, the same, until it is acknowledged. */
interface KeyedCall {
  readonly path: '/generate' | '/score';
  readonly body: Readonly<Record<string, unknown>>;
  /** Also the call's `external_id`, by which its rows are found. */
  readonly key: string;
}

interface Feedback {
  readonly outcomeId: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Everything that the gateway acknowledged, over all its lives. */
export interface Acknowledged {
  readonly generations: ReadonlySet<string>;
  readonly scores: ReadonlySet<string>;
  readonly outcomes: ReadonlySet<string>;
  /** The id that each `Idempotency-Key` was answered with. */
  readonly keyed: ReadonlyMap<string, string>;
  /** Refusals with 503 or 409, each sent again when it has a key or an outcome id. */
  readonly refusals: readonly string[];
  /** Answers that no promise allows: an unexpected status, a key answered with two ids, an outcome accepted twice. */
  readonly surprises: readonly string[];
}

export interface AcknowledgedLoad {
  readonly acknowledged: Acknowledged;
  /** Calls until `stop` or until the gateway is gone; what was not acknowledged is sent again by the next life. */
  run(url: string, callers: number): Promise<void>;
  stop(): void;
  /** Sends what is still unacknowledged, and again a sample of what was answered by key. */
  settle(url: string): Promise<void>;
}

const CANDIDATES = [
  { id: 'walk', features: { effort: 0.2, category: 'body' } },
  { id: 'plan', features: { effort: 0.6, category: 'planning' } },
];
const PROFILE = { completion_rate: 0.5, preferred_hour: 9, tip_volume: 3 };
/** Calls by key that are sent again at the end. */
const SAMPLE_OF_KEYED = 50;
/** Shorter than `Retry-After` asks for: the gateway is to recover under load. */
const AFTER_REFUSAL_MS = 20;

class RefusedCall extends Error {}

/** Callers of `/generate`, `/score` (both partly with an `Idempotency-Key`) and `/feedback`, with a memory. */
export function acknowledgedLoad(): AcknowledgedLoad {
  const generations = new Set<string>();
  const scores = new Set<string>();
  const outcomes = new Set<string>();
  const keyed = new Map<string, string>();
  const surprises: string[] = [];
  const refusals: string[] = [];
  const unsettledCalls: KeyedCall[] = [];
  const unsettledFeedback: Feedback[] = [];
  const answeredCalls: KeyedCall[] = [];
  const targets: { readonly generation_id?: string; readonly score_id?: string }[] = [];
  let next = 0;
  let isStopped = false;

  const name = (prefix: string): string => {
    next += 1;
    return `${prefix}-${next}`;
  };

  const call = async (url: string, { path, body, key }: KeyedCall, isKeyed: boolean): Promise<void> => {
    const answer = await post(url, path, body, isKeyed ? { 'idempotency-key': key } : {});
    // 409: its first try could not give the key back, and its lease still runs.
    if (answer.status === 503 || answer.status === 409) {
      refusals.push(answer.text);
      throw new RefusedCall();
    }
    if (answer.status !== 200) {
      surprises.push(`${path} ${answer.status} ${answer.text}`);
      return;
    }
    const { id } = JSON.parse(answer.text) as { id: string };
    const isScore = path === '/score';
    (isScore ? scores : generations).add(id);
    targets.push(isScore ? { score_id: id } : { generation_id: id });
    if (!isKeyed) return;
    const before = keyed.get(key);
    if (before !== undefined && before !== id) surprises.push(`key ${key} answered with ${before} and ${id}`);
    if (before === undefined) answeredCalls.push({ path, body, key });
    keyed.set(key, id);
  };

  const newCall = (path: KeyedCall['path']): KeyedCall => {
    const key = name('call');
    const body =
      path === '/generate'
        ? { variables: {}, user_id: key, external_id: key }
        : { candidates: CANDIDATES, profile_features: PROFILE, user_id: key, external_id: key };
    return { path, body, key };
  };

  const report = async (url: string, feedback: Feedback): Promise<void> => {
    const answer = await post(url, '/feedback', feedback.body, {});
    if (answer.status === 503) {
      refusals.push(answer.text);
      throw new RefusedCall();
    }
    if (answer.status !== 200 && answer.status !== 202) {
      surprises.push(`/feedback ${answer.status} ${answer.text}`);
      return;
    }
    const { accepted, duplicates } = JSON.parse(answer.text) as { accepted: number; duplicates: number };
    if (accepted + duplicates !== 1) surprises.push(`${feedback.outcomeId}: ${answer.text}`);
    outcomes.add(feedback.outcomeId);
  };

  const newFeedback = (): Feedback | null => {
    const target = targets.shift();
    if (target === undefined) return null;
    const outcomeId = name('outcome');
    return {
      outcomeId,
      body: { ...target, metric: 'completed', value: next % 3 === 0, outcome_id: outcomeId },
    };
  };

  /** Runs what may be cut off; puts it back when it was. */
  const orPutBack = async <Item>(item: Item, queue: Item[], work: (item: Item) => Promise<void>) => {
    try {
      await work(item);
    } catch (error) {
      queue.push(item);
      throw error;
    }
  };

  const step = async (url: string): Promise<void> => {
    const cutCall = unsettledCalls.shift();
    if (cutCall !== undefined) {
      await orPutBack(cutCall, unsettledCalls, (item) => call(url, item, true));
      return;
    }
    const cutFeedback = unsettledFeedback.shift();
    if (cutFeedback !== undefined) {
      await orPutBack(cutFeedback, unsettledFeedback, (item) => report(url, item));
      return;
    }
    const path = next % 2 === 0 ? '/generate' : '/score';
    const fresh = newCall(path);
    if (next % 3 === 0) await orPutBack(fresh, unsettledCalls, (item) => call(url, item, true));
    else await call(url, fresh, false);
    const feedback = newFeedback();
    if (feedback !== null) await orPutBack(feedback, unsettledFeedback, (item) => report(url, item));
  };

  const caller = async (url: string): Promise<void> => {
    while (!isStopped) {
      try {
        await step(url);
      } catch (error) {
        if (error instanceof RefusedCall) {
          await new Promise((done) => setTimeout(done, AFTER_REFUSAL_MS));
          continue;
        }
        // The gateway is gone. Whatever else it is must not look like that.
        if (!isCutOff(error)) throw error;
        return;
      }
    }
  };

  return {
    acknowledged: { generations, scores, outcomes, keyed, refusals, surprises },
    run: async (url, callers) => {
      isStopped = false;
      await Promise.all(Array.from({ length: callers }, () => caller(url)));
    },
    stop: () => {
      isStopped = true;
    },
    settle: async (url) => {
      for (const item of unsettledCalls.splice(0)) await call(url, item, true);
      for (const item of unsettledFeedback.splice(0)) await report(url, item);
      const distance = Math.max(1, Math.floor(answeredCalls.length / SAMPLE_OF_KEYED));
      for (let index = 0; index < answeredCalls.length; index += distance) {
        const item = answeredCalls[index];
        if (item !== undefined) await call(url, item, true);
      }
    },
  };
}

/** By name: the test's own `TypeError` is not that of the platform's `fetch`. */
function isCutOff(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === 'TypeError';
}

/** Rejects with a `TypeError` when the connection breaks before the answer is whole. */
async function post(
  url: string,
  path: string,
  body: object,
  headers: Readonly<Record<string, string>>,
): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, text: await response.text() };
}
