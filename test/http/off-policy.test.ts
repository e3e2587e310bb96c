import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import {
  createEvaluationQueue,
  createExperimentOffPolicy,
  createPolicyReports,
  type OffPolicyReader,
  type PolicyReader,
  type UnitDecision,
} from '../../src/analytics/index.ts';
import { HOUR_MS, seededRandom, systemClock } from '../../src/kernel/index.ts';
import { scriptedScorePolicies } from '../fakes/scripted-score-policies.ts';
import { armOf, experimentOf, reportsOf, revisionOf } from '../unit/analytics/experiment-world.ts';
import { startTestGateway, type TestGateway } from './start-test-gateway.ts';

const START_MS = Date.UTC(2026, 0, 5, 10);
const PROPENSITIES = { v1: 0.5, v3: 0.5 };

/** 600 units of two arms, whose rewards are 0 or 1 by halves and a quarter. */
const DECISIONS: readonly UnitDecision[] = (() => {
  const random = seededRandom(1);
  return Array.from({ length: 600 }, (_, n) => {
    const arm = random.next() < 0.5 ? 'v1' : 'v3';
    const reward = random.next() < (arm === 'v1' ? 0.25 : 0.5) ? 1 : 0;
    return { createdAtMs: START_MS + n, policyRevision: 'tips-1', arm, reward };
  });
})();

function totalOf(arm: string) {
  const rewards = DECISIONS.filter((decision) => decision.arm === arm).map(({ reward }) => reward ?? 0);
  const sum = rewards.reduce((total, reward) => total + reward, 0);
  return { n: rewards.length, sum, sumOfSquares: sum };
}

/** The decisions above; a page waits for `gate` where there is one. */
function experimentReader(gate: () => Promise<void> = async () => {}): OffPolicyReader {
  return {
    rewardCells: async () =>
      ['v1', 'v3'].map((arm) => ({
        policyRevision: 'tips-1',
        arm,
        propensities: PROPENSITIES,
        closedUnits: 0,
        outcomes: totalOf(arm),
        closedOutcomes: { n: 0, sum: 0, sumOfSquares: 0 },
      })),
    unitHours: async () => [{ hourMs: START_MS, units: DECISIONS.length }],
    unitDecisions: async () => {
      await gate();
      return { decisions: DECISIONS, next: null };
    },
    revisionPropensities: async (_experiment, revision) => (revision === 'tips-1' ? PROPENSITIES : null),
  };
}

const NO_SUMS = { n: 0, sum: 0, sumOfSquares: 0 };
const policyReader: PolicyReader = {
  policyTotals: async () => {
    const cell = {
      decisions: 400,
      closedDecisions: 0,
      candidates: 800,
      chosenBest: 300,
      chosenPropensitySum: 200,
      outcomes: { n: 400, sum: 100, sumOfSquares: 100 },
      closedOutcomes: NO_SUMS,
    };
    return {
      revisions: [
        { ...cell, policyDefinition: 'sha256:definition', policyRevision: 'tips-1', firstHourMs: START_MS },
      ],
      hours: [{ ...cell, hourMs: START_MS }],
    };
  },
  newestDecisions: async () => 0,
  policyDecisions: async () => ({
    decisions: Array.from({ length: 400 }, (_, n) => ({
      createdAtMs: START_MS + n,
      reward: n % 4 === 0 ? 1 : 0,
      chosen: n % 2,
      propensities: [0.5, 0.5],
      estimates: [0.2, 0.3],
      features: null,
    })),
    nextSequence: null,
  }),
  policyChoices: async () => ({
    choices: Array.from({ length: 400 }, (_, n) => ({
      createdAtMs: START_MS + n,
      reward: n % 4 === 0 ? 1 : 0,
      chosenPropensity: 0.5,
    })),
    nextSequence: null,
  }),
};

const experimentReports = reportsOf({
  experiments: [experimentOf()],
  totals: [armOf('v1', totalOf('v1').n, totalOf('v1').sum), armOf('v3', totalOf('v3').n, totalOf('v3').sum)],
  revisions: revisionOf(PROPENSITIES, { v1: totalOf('v1').n, v3: totalOf('v3').n }),
});

let gateway: TestGateway;
let ajv: Ajv2020;
beforeAll(async () => {
  const queue = createEvaluationQueue();
  gateway = await startTestGateway({
    services: {
      experimentReports,
      experimentOffPolicy: createExperimentOffPolicy({ reader: experimentReader(), queue }),
      policyReports: createPolicyReports({
        reader: policyReader,
        queue,
        policies: scriptedScorePolicies(),
        clock: { ...systemClock, nowMs: () => START_MS + HOUR_MS },
      }),
    },
  });
  ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema((await (await fetch(`${gateway.url}/openapi.json`)).json()) as object, 'openapi');
});
afterAll(() => gateway.close());

/** Faults of a body against what OpenAPI says of its route, unknown fields included. */
function faultsOf(schema: string, body: unknown): unknown {
  const validate = ajv.compile({ $ref: `openapi#/components/schemas/${schema}` });
  validate(body);
  return validate.errors ?? [];
}

describe('GET /analytics/experiments/:name?policy=', () => {
  const get = (policy: string, more = '') =>
    fetch(`${gateway.url}/analytics/experiments/tips?policy=${encodeURIComponent(policy)}${more}`);

  test.each([
    ['arm:v3', 'Everybody on v3'],
    ['uniform', 'An even split over the arms'],
    ['weights:v1=1,v3=3', 'The split v1 0.25, v3 0.75'],
    ['revision:tips-1', 'The probabilities of tips-1'],
  ])('%s is answered in words and numbers, as described', async (policy, subject) => {
    const response = await get(policy);
    const body = (await response.json()) as { readonly off_policy: Record<string, unknown> };

    expect(response.status).toBe(200);
    expect(faultsOf('ExperimentReport', body)).toEqual([]);
    expect(body.off_policy).toMatchObject({
      policy,
      text: expect.stringContaining(`${subject} would have earned 0.`),
      gate: { concludes: true, reasons: [] },
      decisions: 600,
      decisions_without_propensities: 0,
      estimators: { switch_dr: { value: expect.any(Number), standard_error: expect.any(Number) } },
      interval: { method: 'gamma-exponential confidence sequence', decisions: 600, truncated: false },
      on_policy: { mean: expect.any(Number) },
      share_without_support: 0,
    });
  });

  test('an unescaped split is read too', async () => {
    const response = await fetch(`${gateway.url}/analytics/experiments/tips?policy=weights:v1=1,v3=3`);

    expect(response.status).toBe(200);
  });

  test.each(['arm:v4', 'best', 'weights:v1=1,v1=2', 'revision:tips-9', 'arm:'])(
    '%s is refused with what is allowed',
    async (policy) => {
      const response = await get(policy);

      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({
        code: 'invalid_request',
        errors: [{ path: 'policy', message: expect.any(String) }],
      });
    },
  );

  test('is refused when empty, too long or given twice', async () => {
    const answers = await Promise.all([get(''), get('x'.repeat(4_001)), get('uniform', '&policy=uniform')]);

    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400]);
  });

  test('leaves the table for spreadsheets as it is', async () => {
    const table = await (await get('uniform', '&format=csv')).text();
    const plain = await (await fetch(`${gateway.url}/analytics/experiments/tips?format=csv`)).text();

    expect(table).toBe(plain);
  });
});

describe('GET /analytics/policies/:name', () => {
  test('says what the policy did and earned, as described', async () => {
    const response = await fetch(`${gateway.url}/analytics/policies/tips`);
    const body: unknown = await response.json();

    expect(response.status).toBe(200);
    expect(faultsOf('PolicyReport', body)).toEqual([]);
    expect(body).toMatchObject({
      policy: 'tips',
      decisions: 400,
      mean: 0.25,
      chosen_best_share: 0.75,
      recent: { decisions: 400, chosen_propensity: { p50: 0.5 } },
      over_time: [{ from: '2026-01-05T10:00:00.000Z', hours: 1, decisions: 400 }],
      policy_revisions: [{ policy_revision: 'tips-1', first_hour: '2026-01-05T10:00:00.000Z' }],
    });
    expect(body).not.toHaveProperty('off_policy');
  });

  test.each(['uniform', 'greedy', 'first'])('judges %s', async (policy) => {
    const response = await fetch(`${gateway.url}/analytics/policies/tips?policy=${policy}`);
    const body: unknown = await response.json();

    expect(faultsOf('PolicyReport', body)).toEqual([]);
    expect(body).toMatchObject({ off_policy: { policy, decisions: 400, gate: { concludes: true } } });
  });

  test('refuses unknown policies, targets and parameters, naming the known ones', async () => {
    const unknown = await fetch(`${gateway.url}/analytics/policies/tisp`);
    const target = await fetch(`${gateway.url}/analytics/policies/tips?policy=arm:v1`);
    const parameter = await fetch(`${gateway.url}/analytics/policies/tips?polcy=uniform`);

    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toMatchObject({ code: 'policy_not_found', known: ['tips'] });
    expect(target.status).toBe(400);
    expect(await target.json()).toMatchObject({
      errors: [{ path: 'policy', message: expect.stringContaining('uniform, greedy, first or policy:') }],
    });
    expect(parameter.status).toBe(400);
    expect(await parameter.json()).toMatchObject({
      errors: [{ path: 'polcy', message: expect.stringContaining('policy') }],
    });
  });
});

test('more evaluations than may wait are told when to come back, and a caller who leaves stops its own', async () => {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  let started: () => void = () => {};
  const running = new Promise<void>((resolve) => {
    started = resolve;
  });
  const busy = await startTestGateway({
    services: {
      experimentReports,
      experimentOffPolicy: createExperimentOffPolicy({
        reader: experimentReader(() => {
          started();
          return opened;
        }),
        queue: createEvaluationQueue(1),
      }),
    },
  });
  try {
    const ask = (signal?: AbortSignal) =>
      fetch(`${busy.url}/analytics/experiments/tips?policy=uniform`, signal === undefined ? {} : { signal });
    const first = ask();
    await running;
    const leaving = new AbortController();
    // One of the two gets the only place there is, whichever arrives first.
    const others = [ask(leaving.signal), ask(leaving.signal)];
    const refused = await Promise.race(others);

    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('5');
    expect(await refused.json()).toMatchObject({ code: 'overloaded' });

    leaving.abort();
    const left = await Promise.allSettled(others);
    expect(left.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    open();
    expect((await first).status).toBe(200);
    expect((await ask()).status).toBe(200);
  } finally {
    open();
    await busy.close();
  }
});
