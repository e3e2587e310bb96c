import { describe, expect, test } from '@jest/globals';
import { AppError, seededRandom, silentLogger } from '../../../src/kernel/index.ts';
import {
  createRedaction,
  createScoreService,
  type ScoreAnswer,
  type ScoreObserver,
  type ScoreRequest,
} from '../../../src/serving/index.ts';
import { countingIds } from '../../fakes/counting-ids.ts';
import { fixedClock } from '../../fakes/fixed-clock.ts';
import { recordingLedger } from '../../fakes/recording-ledger.ts';
import {
  scriptedScorePolicies,
  scriptedScorePolicy,
  scriptedSnapshot,
} from '../../fakes/scripted-score-policies.ts';

type Observation = Parameters<ScoreObserver['score']>[0];

function request(changes: Partial<ScoreRequest> = {}): ScoreRequest {
  return {
    context: {
      apiKeyId: 'local',
      requestId: 'req_1',
      traceId: '0'.repeat(32),
      receivedAtMs: 1_000,
      receivedMonotonicMs: 0,
    },
    policy: null,
    candidates: [
      { id: 'a', features: { novelty: 0.1 } },
      { id: 'b', features: { novelty: 0.9 } },
    ],
    profileFeatures: null,
    contextFeatures: null,
    userId: null,
    sessionId: null,
    externalId: null,
    metadata: null,
    tags: [],
    idempotency: null,
    ...changes,
  };
}

interface SetUp {
  readonly onLedgerFailure?: 'fail' | 'serve';
  readonly redact?: readonly string[];
  readonly policies?: ReturnType<typeof scriptedScorePolicies>;
}

function compose({ onLedgerFailure = 'fail', redact = [], policies = scriptedScorePolicies() }: SetUp = {}) {
  const ledger = recordingLedger();
  const observed: Observation[] = [];
  const service = createScoreService({
    policies,
    ledger,
    ids: countingIds(),
    clock: fixedClock(),
    random: seededRandom(1),
    logger: silentLogger,
    observer: { score: (observation) => observed.push(observation) },
    onLedgerFailure,
    redaction: createRedaction(redact),
    hashUnit: (kind, id) => `hash(${kind}:${id})`,
    configHash: () => 'config-hash',
    gatewayVersion: '0.0.0',
  });
  return { service, ledger, observed };
}

async function refusalOf(promise: Promise<unknown>): Promise<AppError> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof AppError) return error;
  throw new Error('nothing was refused');
}

describe('a decision', () => {
  test('is answered with what is recorded', async () => {
    const { service, ledger } = compose();

    const { answer, replayed } = await service.score(request({ policy: 'tips' }));

    const [record] = ledger.scores;
    expect(replayed).toBe(false);
    expect(answer).toMatchObject({ policy: 'tips', policyRevision: 'tips-4', recorded: true });
    expect(record).toMatchObject({
      id: answer.id,
      policy: 'tips',
      policyDefinition: 'sha256:definition',
      policyRevision: 'tips-4',
      modelRevision: 'sha256:model',
      chosen: answer.chosen,
      test: false,
      shadowOf: null,
      configHash: 'config-hash',
    });
    expect(answer.ranking.map(({ id }) => id)).toEqual(['b', 'a']);
    expect(record?.candidates.map(({ id }) => id)).toEqual(['a', 'b']);
    for (const { id, propensity } of answer.ranking) {
      expect(record?.candidates.find((candidate) => candidate.id === id)?.propensity).toBe(propensity);
    }
    const chosen = record?.candidates.find((candidate) => candidate.id === answer.chosen);
    expect(record?.chosenPropensity).toBe(chosen?.propensity);
    // constant and novelty of the chosen one, as the policy saw them.
    expect(record?.chosenInput.slice(0, 2)).toEqual([1, answer.chosen === 'b' ? 0.9 : 0.1]);
  });

  test('keeps ids as keyed hashes only, and marks test traffic', async () => {
    const { service, ledger } = compose();

    await service.score(
      request({ userId: 'u1', sessionId: 's1', externalId: 'tip-77', tags: ['test'], metadata: { a: 1 } }),
    );

    expect(ledger.scores[0]).toMatchObject({
      unitKind: 'user_id',
      unitKey: 'hash(user_id:u1)',
      sessionKey: 'hash(session_id:s1)',
      externalId: 'tip-77',
      test: true,
      metadata: { a: 1 },
    });
  });

  test('is recorded with redacted features and learnt from unredacted ones', async () => {
    const redact = ['features.novelty', 'profile_features.completion_rate', 'context.hour', 'metadata.*'];
    const { service, ledger } = compose({ redact });

    await service.score(
      request({
        candidates: [{ id: 'a', features: { novelty: 0.25, short: true } }],
        profileFeatures: { completion_rate: 0.4 },
        contextFeatures: { hour: 23 },
        metadata: { email: 'a@example.org' },
      }),
    );

    const [record] = ledger.scores;
    expect(record?.candidates[0]?.features).toEqual({ novelty: '[redacted]', short: true });
    expect(record).toMatchObject({
      profileFeatures: { completion_rate: '[redacted]' },
      contextFeatures: { hour: '[redacted]' },
      metadata: { email: '[redacted]' },
    });
    expect(record?.chosenInput).toEqual([1, 0.25, 1, 0, 0, 0.4, 1, 0.1]);
  });

  test('names the features that its policy ignores', async () => {
    const policies = scriptedScorePolicies([scriptedScorePolicy({ unknownFeatures: 'ignore' })]);
    const { service } = compose({ policies });

    const { answer } = await service.score(
      request({ candidates: [{ id: 'a', features: { colour: 'red' } }], profileFeatures: { height: 2 } }),
    );

    expect([...answer.ignoredFeatures].sort()).toEqual([
      'candidates[].features.colour',
      'profile_features.height',
    ]);
  });
});

describe('a request that does not fit', () => {
  test('is refused with every fault, records nothing and is counted', async () => {
    const { service, ledger, observed } = compose();

    const error = await refusalOf(
      service.score(
        request({
          candidates: [
            { id: 'a', features: { novelty: Number.POSITIVE_INFINITY } },
            { id: 'a', features: { noveltee: 1 } },
          ],
        }),
      ),
    );

    expect(error.code).toBe('score_invalid');
    expect(error.faults.map(({ path }) => path).sort()).toEqual([
      'candidates[0].features.novelty',
      'candidates[1].features.noveltee',
      'candidates[1].id',
    ]);
    expect(ledger.scores).toEqual([]);
    expect(observed).toMatchObject([{ policy: 'tips', status: 'refused' }]);
  });

  test('of an unknown policy is counted without its name', async () => {
    const { service, observed } = compose();

    expect((await refusalOf(service.score(request({ policy: 'tipz' })))).code).toBe('policy_not_found');
    expect(observed).toMatchObject([{ policy: null, status: 'refused' }]);
  });

  test('gives its key back, so that a corrected call may use it', async () => {
    const { service, ledger } = compose();
    const idempotency = { key: 'k1', requestHash: 'h' };

    await refusalOf(service.score(request({ candidates: [], idempotency })));

    expect(ledger.claims).toHaveLength(1);
    expect(ledger.released).toEqual(['k1']);
  });
});

describe('a key', () => {
  const idempotency = { key: 'k1', requestHash: 'h' };

  test('is completed with the answer, in the transaction of the row', async () => {
    const { service, ledger } = compose();

    const { answer } = await service.score(request({ idempotency }));

    expect(ledger.claims).toMatchObject([{ key: 'k1', requestHash: 'h', apiKeyId: 'local' }]);
    const stored = JSON.parse(ledger.completions[0]?.responseJson ?? 'null') as ScoreAnswer;
    expect(stored).toEqual(answer);
    expect(ledger.released).toEqual([]);
  });

  test('that was answered is answered again: nothing is ranked, recorded or counted', async () => {
    const { service, ledger, observed } = compose();
    const { answer } = await service.score(request({ idempotency }));
    const responseJson = ledger.completions[0]?.responseJson ?? '';
    ledger.answerClaims({ kind: 'completed', responseJson, generationId: answer.id });

    // Not even the policy is looked up: it may be gone by now.
    const reply = await service.score(request({ idempotency, policy: 'gone' }));

    expect(reply).toMatchObject({ answer, replayed: true });
    expect(ledger.scores).toHaveLength(1);
    expect(observed).toHaveLength(1);
  });

  test.each([
    [{ kind: 'running', retryAfterMs: 5_000 }, 'idempotency_in_progress'],
    [{ kind: 'mismatch' }, 'idempotency_mismatch'],
  ] as const)('that is %j is refused', async (claim, code) => {
    const { service, ledger } = compose();
    ledger.answerClaims(claim);

    expect((await refusalOf(service.score(request({ idempotency })))).code).toBe(code);
    expect(ledger.scores).toEqual([]);
  });
});

describe('a ledger that cannot be written', () => {
  test('fails the call, and frees its key for another try', async () => {
    const { service, ledger, observed } = compose();
    ledger.fail();

    const error = await refusalOf(service.score(request({ idempotency: { key: 'k1', requestHash: 'h' } })));

    expect(error).toMatchObject({ code: 'storage_unavailable', retryAfterMs: 1_000 });
    expect(ledger.released).toEqual(['k1']);
    expect(observed).toMatchObject([{ status: 'error' }]);
  });

  test('is said in the answer where the configuration prefers answers', async () => {
    const { service, ledger, observed } = compose({ onLedgerFailure: 'serve' });
    ledger.fail();

    const { answer } = await service.score(request());

    expect(answer.recorded).toBe(false);
    expect(answer.ranking).toHaveLength(2);
    expect(observed).toMatchObject([{ status: 'unrecorded' }]);
  });
});

test('the state that is in force decides, whatever the definition', async () => {
  const policies = scriptedScorePolicies(
    [scriptedScorePolicy()],
    scriptedSnapshot({ revision: 'tips-0', sequence: 0, rewards: 0, weight: 0, coefficients: [] }),
  );
  const { service } = compose({ policies });

  const { answer } = await service.score(request());

  expect(answer.policyRevision).toBe('tips-0');
  expect(answer.ranking).toEqual([
    { id: 'a', score: 0, propensity: 0.5 },
    { id: 'b', score: 0, propensity: 0.5 },
  ]);
});
