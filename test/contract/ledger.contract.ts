import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import type { ReportReader } from '../../src/analytics/index.ts';
import { HOUR_MS, hourOf } from '../../src/kernel/index.ts';
import {
  type Ledger,
  type LedgerReader,
  latencyBucket,
  type OutcomeBatch,
  type OutcomeRecord,
} from '../../src/ledger/index.ts';
import { generationRecord, outcomeRecord } from '../helpers/ledger-records.ts';

export interface OpenedLedger {
  readonly ledger: Ledger;
  readonly ledgerReader: LedgerReader;
  readonly reportReader: ReportReader;
  close(): Promise<void>;
}

export interface LedgerContractOptions {
  /** Tests a database cannot pass, each with the reason why. */
  readonly skip?: readonly { readonly test: string; readonly reason: string }[];
}

const CREATED_AT_MS = Date.UTC(2026, 10, 23, 10, 30);
const WINDOW_MS = 168 * HOUR_MS;

/** Every rule of the ledger's ports, for any database: `open` gives an empty ledger each time. */
export function describeLedger(
  name: string,
  open: () => Promise<OpenedLedger>,
  options: LedgerContractOptions = {},
): void {
  const skipped = new Map((options.skip ?? []).map(({ test: title, reason }) => [title, reason]));
  const rule = (title: string, body: () => Promise<void>): void => {
    const reason = skipped.get(title);
    if (reason === undefined) test(title, body);
    else test.skip(`${title} (${reason})`, body);
  };

  describe(`ledger on ${name}`, () => {
    let opened: OpenedLedger;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.close());

    const report = (outcomes: readonly OutcomeRecord[], apiKeyId = 'key-a') =>
      opened.ledger.appendOutcomes({
        apiKeyId,
        entries: outcomes.map((outcome) => ({ kind: 'outcome', outcome })),
      });
    const withdraw = (outcomeId: string, apiKeyId = 'key-a') =>
      opened.ledger.appendOutcomes({
        apiKeyId,
        entries: [{ kind: 'void', void: { outcomeId, receivedAtMs: CREATED_AT_MS } }],
      });
    const totals = async (
      query: Partial<Parameters<ReportReader['versionTotals']>[0]> = {},
    ): Promise<Awaited<ReturnType<ReportReader['versionTotals']>>> =>
      opened.reportReader.versionTotals({
        prompt: 'tip',
        metric: 'completed',
        fromMs: null,
        toMs: null,
        closedBeforeMs: hourOf(CREATED_AT_MS) + HOUR_MS,
        ...query,
      });
    const rewards = async () => (await totals())[0]?.outcomes;
    const countingIds = async (id: string) =>
      (await opened.ledgerReader.findGeneration(id))?.outcomes
        .filter((outcome) => outcome.counts)
        .map((outcome) => outcome.outcomeId);

    describe('generations', () => {
      rule('reads back what was appended', async () => {
        const record = generationRecord({
          id: 'gen_1',
          externalId: 'tip-77',
          propensities: { v1: 0.5, v2: 0.5 },
          propensity: 0.5,
          assignment: { method: 'rotation', unit: 'u1', propensity: 0.5 },
          attempts: [
            {
              provider: 'openai',
              model: 'gpt-4o-mini',
              startedMs: 0.5,
              durationMs: 410,
              outcome: 'ok',
              status: 200,
              error: null,
            },
          ],
          output: { tip: 'drink' },
          tags: ['a'],
          messages: [{ role: 'user', content: 'é\u0000😀' }],
        });

        await opened.ledger.appendGeneration(record, null);

        const { commitWaitMs, outcomes, ...stored } =
          (await opened.ledgerReader.findGeneration('gen_1')) ??
          (() => {
            throw new Error('not found');
          })();
        expect(stored).toEqual(record);
        expect(outcomes).toEqual([]);
        expect(commitWaitMs).toBeGreaterThanOrEqual(0);
      });

      rule('answers null for an unknown generation', async () => {
        expect(await opened.ledgerReader.findGeneration('gen_none')).toBeNull();
      });

      rule('stores the same id once and counts it once', async () => {
        await opened.ledger.appendGeneration(generationRecord({ id: 'gen_1' }), null);
        await opened.ledger.appendGeneration(generationRecord({ id: 'gen_1' }), null);

        expect(await totals()).toMatchObject([{ generations: 1, delivered: 1, costNanoUsd: 120_000 }]);
        expect((await opened.ledgerReader.readRows('generations', 0, 10)).rows).toHaveLength(1);
      });

      rule('says null, not 0, for tokens that no call knows', async () => {
        const unknown = { inputTokens: null, outputTokens: null };
        await opened.ledger.appendGeneration(generationRecord({ id: 'gen_1', ...unknown }), null);
        expect(await totals()).toMatchObject([unknown]);

        await opened.ledger.appendGeneration(generationRecord({ id: 'gen_2', inputTokens: 5 }), null);
        expect(await totals()).toMatchObject([{ inputTokens: 5 }]);
      });

      rule('stores a pass-through call outside of every prompt', async () => {
        await opened.ledger.appendGeneration(
          generationRecord({
            id: 'gen_1',
            surface: 'chat',
            prompt: null,
            promptVersion: null,
            promptHash: null,
            versionSource: null,
          }),
          null,
        );

        expect(await totals()).toEqual([]);
        expect((await opened.ledgerReader.findGeneration('gen_1'))?.prompt).toBeNull();
      });

      rule('keeps texts that look like SQL, quotes and braces as they are', async () => {
        const text = `'; DROP TABLE generations; --" {{x}} %s \u2028`;
        await opened.ledger.appendGeneration(
          generationRecord({ id: 'gen_1', text, prompt: text, promptVersion: text }),
          null,
        );

        expect((await opened.ledgerReader.findGeneration('gen_1'))?.text).toBe(text);
        expect(await totals({ prompt: text })).toMatchObject([{ promptVersion: text }]);
      });
    });

    describe('outcomes', () => {
      beforeEach(() => opened.ledger.appendGeneration(generationRecord({ id: 'gen_1' }), null));

      rule('accepts an outcome and counts it', async () => {
        const receipt = await report([outcomeRecord({ outcomeId: 'out_1' })]);

        expect(receipt).toEqual({ accepted: 1, duplicates: 0, outcomeIds: ['out_1'] });
        expect(await rewards()).toEqual({ n: 1, sum: 1, sumOfSquares: 1 });
        expect((await opened.ledgerReader.findGeneration('gen_1'))?.outcomes).toEqual([
          { ...outcomeRecord({ outcomeId: 'out_1' }), apiKeyId: 'key-a', voided: false, counts: true },
        ]);
      });

      rule('counts the same outcome sent twice once', async () => {
        await report([outcomeRecord({ outcomeId: 'out_1' })]);
        const again = outcomeRecord({ outcomeId: 'out_1', receivedAtMs: CREATED_AT_MS + HOUR_MS });

        expect(await report([again])).toEqual({ accepted: 0, duplicates: 1, outcomeIds: ['out_1'] });
        expect(await rewards()).toEqual({ n: 1, sum: 1, sumOfSquares: 1 });
      });

      rule('counts the same outcome twice in one batch once', async () => {
        const twice = [outcomeRecord({ outcomeId: 'out_1' }), outcomeRecord({ outcomeId: 'out_1' })];

        expect(await report(twice)).toEqual({ accepted: 1, duplicates: 1, outcomeIds: ['out_1', 'out_1'] });
        expect(await rewards()).toEqual({ n: 1, sum: 1, sumOfSquares: 1 });
      });

      for (const [what, other] of [
        ['value', outcomeRecord({ outcomeId: 'out_1', value: false, reward: 0 })],
        ['value type', outcomeRecord({ outcomeId: 'out_1', value: 1, reward: 1 })],
        ['metric', outcomeRecord({ outcomeId: 'out_1', metric: 'reaction' })],
        ['target', outcomeRecord({ outcomeId: 'out_1' }, { generationId: 'gen_2' })],
        ['kind of target', outcomeRecord({ outcomeId: 'out_1' }, { externalId: 'gen_1' })],
        ['time', outcomeRecord({ outcomeId: 'out_1', occurredAtMs: CREATED_AT_MS })],
      ] as const) {
        rule(`refuses the same id with another ${what}, and the whole batch with it`, async () => {
          await report([outcomeRecord({ outcomeId: 'out_1' })]);

          const refused = report([outcomeRecord({ outcomeId: 'out_new', value: false, reward: 0 }), other]);

          await expect(refused).rejects.toMatchObject({
            code: 'conflict',
            message: expect.stringContaining('out_1'),
          });
          expect((await opened.ledgerReader.readRows('outcomes', 0, 10)).rows).toHaveLength(1);
          expect(await rewards()).toEqual({ n: 1, sum: 1, sumOfSquares: 1 });
        });
      }

      rule('refuses one id with two payloads in one batch', async () => {
        const refused = report([
          outcomeRecord({ outcomeId: 'out_1' }),
          outcomeRecord({ outcomeId: 'out_1', value: false, reward: 0 }),
        ]);

        await expect(refused).rejects.toMatchObject({ code: 'conflict' });
        expect((await opened.ledgerReader.readRows('outcomes', 0, 10)).rows).toEqual([]);
      });

      rule('keeps the outcome ids of two API keys apart', async () => {
        await report([outcomeRecord({ outcomeId: 'out_1' })], 'key-a');

        const receipt = await report(
          [outcomeRecord({ outcomeId: 'out_1', value: false, reward: 0 })],
          'key-b',
        );

        expect(receipt.accepted).toBe(1);
      });

      rule('lets the greatest time win, whatever came first', async () => {
        const at = (outcomeId: string, minutes: number, value: boolean) =>
          outcomeRecord({
            outcomeId,
            value,
            reward: value ? 1 : 0,
            occurredAtMs: CREATED_AT_MS + minutes * 60_000,
          });
        await report([at('out_late', 30, true)]);
        await report([at('out_early', 5, false)]);

        expect(await countingIds('gen_1')).toEqual(['out_late']);
        expect(await rewards()).toEqual({ n: 1, sum: 1, sumOfSquares: 1 });
      });

      rule('lets the greater outcome id win at the same time', async () => {
        await report([
          outcomeRecord({ outcomeId: 'out_b', value: false, reward: 0 }),
          outcomeRecord({ outcomeId: 'out_a' }),
        ]);

        expect(await countingIds('gen_1')).toEqual(['out_b']);
      });

      rule('lets the greater API key win at the same time and outcome id', async () => {
        await report([outcomeRecord({ outcomeId: 'out_1' })], 'key-b');
        await report([outcomeRecord({ outcomeId: 'out_1', value: false, reward: 0 })], 'key-a');

        expect(await rewards()).toEqual({ n: 1, sum: 1, sumOfSquares: 1 });
      });

      rule('counts one reward per metric', async () => {
        await report([
          outcomeRecord({ outcomeId: 'out_1' }),
          outcomeRecord({ outcomeId: 'out_2', metric: 'reaction', value: 'like', reward: 0.7 }),
        ]);

        expect(await countingIds('gen_1')).toEqual(['out_1', 'out_2']);
        expect((await totals({ metric: 'reaction' }))[0]?.outcomes).toEqual({
          n: 1,
          sum: 0.7,
          sumOfSquares: 0.7 * 0.7,
        });
      });

      rule('counts an outcome at the end of its window and not after it', async () => {
        await report([
          outcomeRecord({ outcomeId: 'out_in', occurredAtMs: CREATED_AT_MS + WINDOW_MS }),
          outcomeRecord({ outcomeId: 'out_out', occurredAtMs: CREATED_AT_MS + WINDOW_MS + 1 }),
        ]);

        expect(await countingIds('gen_1')).toEqual(['out_in']);
      });

      rule('counts an outcome dated before its generation', async () => {
        await report([outcomeRecord({ outcomeId: 'out_1', occurredAtMs: CREATED_AT_MS - 5_000 })]);

        expect(await countingIds('gen_1')).toEqual(['out_1']);
      });

      rule('does not count test traffic', async () => {
        await report([outcomeRecord({ outcomeId: 'out_1', test: true })]);

        expect(await rewards()).toEqual({ n: 0, sum: 0, sumOfSquares: 0 });
      });

      rule('does not count outcomes of a generation nobody received', async () => {
        await opened.ledger.appendGeneration(
          generationRecord({ id: 'gen_lost', delivered: false, status: 'client_closed' }),
          null,
        );
        await report([outcomeRecord({ outcomeId: 'out_1' }, { generationId: 'gen_lost' })]);

        expect(await countingIds('gen_lost')).toEqual([]);
      });

      rule('gives a withdrawn reward back to the next best outcome', async () => {
        await report([
          outcomeRecord({ outcomeId: 'out_1', value: false, reward: 0, occurredAtMs: CREATED_AT_MS }),
          outcomeRecord({ outcomeId: 'out_2', occurredAtMs: CREATED_AT_MS + 1 }),
        ]);

        expect(await withdraw('out_2')).toEqual({ accepted: 1, duplicates: 0, outcomeIds: ['out_2'] });
        expect(await countingIds('gen_1')).toEqual(['out_1']);
        expect(await rewards()).toEqual({ n: 1, sum: 0, sumOfSquares: 0 });
      });

      rule('withdraws an outcome that arrives after its withdrawal', async () => {
        await withdraw('out_1');

        expect((await report([outcomeRecord({ outcomeId: 'out_1' })])).accepted).toBe(1);
        expect((await opened.ledgerReader.findGeneration('gen_1'))?.outcomes).toMatchObject([
          { outcomeId: 'out_1', voided: true, counts: false },
        ]);
        expect(await rewards()).toEqual({ n: 0, sum: 0, sumOfSquares: 0 });
      });

      rule('counts a withdrawal sent twice as duplicate', async () => {
        await withdraw('out_1');

        expect(await withdraw('out_1')).toMatchObject({ accepted: 0, duplicates: 1 });
      });

      rule('lets only the API key that sent an outcome withdraw it', async () => {
        await report([outcomeRecord({ outcomeId: 'out_1' })], 'key-a');
        await withdraw('out_1', 'key-b');

        expect(await countingIds('gen_1')).toEqual(['out_1']);
      });

      rule('takes the earliest receipt of an outcome without a time of its own', async () => {
        const received = (receivedAtMs: number) => outcomeRecord({ outcomeId: 'out_1', receivedAtMs });
        await report([received(CREATED_AT_MS + WINDOW_MS + 1)]);
        expect(await countingIds('gen_1')).toEqual([]);

        await report([received(CREATED_AT_MS + WINDOW_MS)]);

        expect(await countingIds('gen_1')).toEqual(['out_1']);
      });

      rule('accepts an empty batch', async () => {
        expect(await report([])).toEqual({ accepted: 0, duplicates: 0, outcomeIds: [] });
      });
    });

    describe('outcomes that name no recorded generation', () => {
      rule('counts an outcome that came before its generation', async () => {
        await report([outcomeRecord({ outcomeId: 'out_1' })]);
        await opened.ledger.appendGeneration(generationRecord({ id: 'gen_1' }), null);

        expect(await rewards()).toEqual({ n: 1, sum: 1, sumOfSquares: 1 });
      });

      rule('counts an outcome by external id for the latest delivered generation', async () => {
        const external = (id: string, createdAtMs: number, delivered = true) =>
          generationRecord({ id, externalId: 'tip-77', createdAtMs, delivered });
        await report([outcomeRecord({ outcomeId: 'out_1' }, { externalId: 'tip-77' })]);
        await opened.ledger.appendGeneration(external('gen_2', CREATED_AT_MS + 1), null);
        await opened.ledger.appendGeneration(external('gen_1', CREATED_AT_MS), null);
        await opened.ledger.appendGeneration(external('gen_3', CREATED_AT_MS + 2, false), null);
        expect(await countingIds('gen_2')).toEqual(['out_1']);
        expect(await countingIds('gen_1')).toEqual([]);

        await opened.ledger.appendGeneration(external('gen_4', CREATED_AT_MS + 1), null);

        expect(await countingIds('gen_2')).toEqual([]);
        expect(await countingIds('gen_4')).toEqual(['out_1']);
        expect(await rewards()).toEqual({ n: 1, sum: 1, sumOfSquares: 1 });
      });

      rule('stores an outcome of a score without counting it for a generation', async () => {
        const receipt = await report([outcomeRecord({ outcomeId: 'out_1' }, { scoreId: 'scr_1' })]);

        expect(receipt.accepted).toBe(1);
        expect((await opened.ledgerReader.readRows('outcomes', 0, 10)).rows).toMatchObject([
          { score_id: 'scr_1', generation_id: null },
        ]);
      });
    });

    describe('idempotency keys', () => {
      const claim = (leaseId: string, nowMs = 1_000, requestHash = 'hash-1') =>
        opened.ledger.claimIdempotencyKey({
          apiKeyId: 'key-a',
          key: 'k1',
          requestHash,
          leaseId,
          leaseExpiresAtMs: nowMs + 60_000,
          nowMs,
        });
      const complete = (leaseId: string) =>
        opened.ledger.appendGeneration(generationRecord({ id: 'gen_1' }), {
          apiKeyId: 'key-a',
          key: 'k1',
          leaseId,
          responseJson: '{"id":"gen_1"}',
        });

      rule('gives a free key to the first claim and makes the second wait', async () => {
        expect(await claim('run_1')).toEqual({ kind: 'claimed' });

        const second = await claim('run_2', 2_000);

        expect(second).toMatchObject({ kind: 'running' });
        expect(second.kind === 'running' && second.retryAfterMs).toBeGreaterThan(0);
      });

      rule('gives a contested key to exactly one of many', async () => {
        const results = await Promise.all(Array.from({ length: 20 }, (_, index) => claim(`run_${index}`)));

        expect(results.filter((result) => result.kind === 'claimed')).toHaveLength(1);
      });

      rule('answers a completed key with its answer', async () => {
        await claim('run_1');
        await complete('run_1');

        expect(await claim('run_2')).toEqual({
          kind: 'completed',
          responseJson: '{"id":"gen_1"}',
          generationId: 'gen_1',
        });
      });

      rule('refuses another request under a running or a completed key', async () => {
        await claim('run_1');
        expect(await claim('run_2', 2_000, 'hash-2')).toEqual({ kind: 'mismatch' });

        await complete('run_1');

        expect(await claim('run_3', 3_000, 'hash-2')).toEqual({ kind: 'mismatch' });
      });

      rule('keeps the keys of two API keys apart', async () => {
        await claim('run_1');

        const other = await opened.ledger.claimIdempotencyKey({
          apiKeyId: 'key-b',
          key: 'k1',
          requestHash: 'hash-2',
          leaseId: 'run_2',
          leaseExpiresAtMs: 60_000,
          nowMs: 1_000,
        });

        expect(other).toEqual({ kind: 'claimed' });
      });

      rule('frees a key whose lease has expired', async () => {
        await claim('run_1', 1_000);

        expect(await claim('run_2', 61_000)).toEqual({ kind: 'claimed' });
      });

      rule('records a call that lost its lease without completing the key', async () => {
        await claim('run_1', 1_000);
        await claim('run_2', 61_000);
        await complete('run_1');

        expect(await opened.ledgerReader.findGeneration('gen_1')).not.toBeNull();
        expect(await claim('run_3', 62_000)).toMatchObject({ kind: 'running' });
      });

      rule('frees a released key, for its holder only', async () => {
        await claim('run_1');
        await opened.ledger.releaseIdempotencyKey('key-a', 'k1', 'run_other');
        expect(await claim('run_2')).toMatchObject({ kind: 'running' });

        await opened.ledger.releaseIdempotencyKey('key-a', 'k1', 'run_1');

        expect(await claim('run_2')).toEqual({ kind: 'claimed' });
      });

      rule('does not release a completed key', async () => {
        await claim('run_1');
        await complete('run_1');
        await opened.ledger.releaseIdempotencyKey('key-a', 'k1', 'run_1');

        expect(await claim('run_2')).toMatchObject({ kind: 'completed' });
      });

      rule('expires completed keys older than a time, within the limit', async () => {
        await claim('run_1');
        await complete('run_1');
        const completedAtMs = generationRecord({ id: 'gen_1' }).finishedAtMs;

        expect(await opened.ledger.expireIdempotencyKeys(completedAtMs, 10)).toBe(0);
        expect(await opened.ledger.expireIdempotencyKeys(completedAtMs + 1, 0)).toBe(0);
        expect(await opened.ledger.expireIdempotencyKeys(completedAtMs + 1, 10)).toBe(1);
        expect(await claim('run_2')).toEqual({ kind: 'claimed' });
      });
    });

    describe('reading', () => {
      rule('reads all rows once, in insertion order, in pages', async () => {
        const ids = Array.from({ length: 7 }, (_, index) => `gen_${index}`);
        for (const id of ids) await opened.ledger.appendGeneration(generationRecord({ id }), null);

        const read: unknown[] = [];
        let after: number | null = 0;
        while (after !== null) {
          const page: Awaited<ReturnType<LedgerReader['readRows']>> = await opened.ledgerReader.readRows(
            'generations',
            after,
            3,
          );
          expect(page.rows.length).toBeLessThanOrEqual(3);
          read.push(...page.rows.map((row) => row['id']));
          after = page.nextSequence;
        }

        expect(read).toEqual(ids);
      });

      rule('says of an exported outcome whether it is void and what it counts for', async () => {
        await opened.ledger.appendGeneration(generationRecord({ id: 'gen_1' }), null);
        await report([outcomeRecord({ outcomeId: 'out_1' }), outcomeRecord({ outcomeId: 'out_2' })]);
        await withdraw('out_2');

        expect((await opened.ledgerReader.readRows('outcomes', 0, 10)).rows).toMatchObject([
          { outcome_id: 'out_1', voided: 0, counts_for_generation_id: 'gen_1' },
          { outcome_id: 'out_2', voided: 1, counts_for_generation_id: null },
        ]);
      });
    });

    describe('report', () => {
      rule('sums a version over its models, sources and hashes', async () => {
        const calls = [
          generationRecord({ id: 'gen_1', versionSource: 'body', forced: true, totalMs: 100 }),
          generationRecord({ id: 'gen_2', versionSource: 'env', model: 'other', promptHash: 'sha256:bb' }),
          generationRecord({ id: 'gen_3', degraded: true, costNanoUsd: null, fellBack: true }),
          generationRecord({
            id: 'gen_4',
            status: 'error',
            errorCode: 'provider_timeout',
            delivered: false,
            inputTokens: null,
            outputTokens: null,
            costNanoUsd: null,
          }),
          generationRecord({ id: 'gen_5', status: 'client_closed', delivered: false }),
          generationRecord({ id: 'gen_6', status: 'incomplete', delivered: false }),
          generationRecord({ id: 'gen_7', promptVersion: 'v2', promptHash: 'sha256:cc' }),
        ];
        for (const call of calls) await opened.ledger.appendGeneration(call, null);
        await report([outcomeRecord({ outcomeId: 'out_1' }, { generationId: 'gen_2' })]);

        const [v1, v2, ...others] = await totals();

        expect(others).toEqual([]);
        expect(v1).toEqual({
          promptVersion: 'v1',
          generations: 6,
          delivered: 3,
          errors: 2,
          clientClosed: 1,
          degraded: 1,
          fallbacks: 1,
          forced: 1,
          inputTokens: 155,
          outputTokens: 90,
          costNanoUsd: 480_000,
          costKnown: 4,
          sources: { body: 1, env: 1, default: 4 },
          hashes: ['sha256:aa', 'sha256:bb'],
          latency: [
            [latencyBucket(100), 1],
            [latencyBucket(412.25), 2],
          ],
          outcomes: { n: 1, sum: 1, sumOfSquares: 1 },
          closedOutcomes: { n: 1, sum: 1, sumOfSquares: 1 },
          closedDelivered: 3,
        });
        expect(v2).toMatchObject({ promptVersion: 'v2', generations: 1, hashes: ['sha256:cc'] });
      });

      rule('leaves test, shadow and replay traffic out', async () => {
        await opened.ledger.appendGeneration(generationRecord({ id: 'gen_1', test: true }), null);
        await opened.ledger.appendGeneration(generationRecord({ id: 'gen_2', shadowOf: 'gen_9' }), null);
        await opened.ledger.appendGeneration(generationRecord({ id: 'gen_3', replay: true }), null);

        expect(await totals()).toEqual([]);
      });

      rule('takes decision hours from the start of the window up to, not including, its end', async () => {
        const hours = [0, 1, 2, 30, 60, 61].map((hour) => hourOf(CREATED_AT_MS) + hour * HOUR_MS);
        for (const [index, createdAtMs] of hours.entries()) {
          const record = generationRecord({ id: `gen_${index}`, createdAtMs: createdAtMs + 59 * 60_000 });
          await opened.ledger.appendGeneration(record, null);
          await report([outcomeRecord({ outcomeId: `out_${index}` }, { generationId: `gen_${index}` })]);
        }

        const [found] = await totals({
          fromMs: hours[1] ?? 0,
          toMs: hours[5] ?? 0,
          closedBeforeMs: hours[3] ?? 0,
        });

        expect(found).toMatchObject({
          generations: 4,
          closedDelivered: 2,
          outcomes: { n: 4, sum: 4, sumOfSquares: 4 },
          closedOutcomes: { n: 2, sum: 2, sumOfSquares: 2 },
          latency: [[latencyBucket(412.25), 4]],
        });
      });

      rule('gives an outcome to the hour of its generation', async () => {
        await opened.ledger.appendGeneration(generationRecord({ id: 'gen_1' }), null);
        await report([outcomeRecord({ outcomeId: 'out_1', occurredAtMs: CREATED_AT_MS + 50 * HOUR_MS })]);
        const hourMs = hourOf(CREATED_AT_MS);

        expect((await totals({ fromMs: hourMs, toMs: hourMs + HOUR_MS }))[0]?.outcomes.n).toBe(1);
        expect(await totals({ fromMs: hourMs + HOUR_MS })).toEqual([]);
      });

      rule('answers nothing for a window without generations', async () => {
        await opened.ledger.appendGeneration(generationRecord({ id: 'gen_1' }), null);

        expect(await totals({ prompt: 'digest' })).toEqual([]);
        expect(await totals({ toMs: hourOf(CREATED_AT_MS) })).toEqual([]);
      });

      rule('reports the same after the rollups were rebuilt', async () => {
        for (const id of ['gen_1', 'gen_2']) {
          await opened.ledger.appendGeneration(generationRecord({ id }), null);
        }
        await report([outcomeRecord({ outcomeId: 'out_1', value: 0.1, reward: 0.1 })]);
        const before = await totals();

        await opened.ledger.rebuildRollups();

        expect(await totals()).toEqual(before);
      });
    });

    describe('health and closing', () => {
      rule('counts committed writes', async () => {
        await opened.ledger.appendGeneration(generationRecord({ id: 'gen_1' }), null);

        expect(opened.ledger.health()).toEqual({
          writable: true,
          reason: null,
          queuedWrites: 0,
          committedWrites: 1,
          commits: 1,
        });
      });

      rule('refuses a record it cannot hold and keeps serving', async () => {
        const cyclic: Record<string, unknown> = {};
        cyclic['self'] = cyclic;
        const broken: OutcomeBatch = {
          apiKeyId: 'key-a',
          entries: [{ kind: 'outcome', outcome: outcomeRecord({ outcomeId: 'out_1', reward: Number.NaN }) }],
        };

        await expect(
          opened.ledger.appendGeneration(generationRecord({ id: 'gen_1', variables: cyclic }), null),
        ).rejects.toThrow();
        await expect(opened.ledger.appendOutcomes(broken)).rejects.toMatchObject({ code: 'internal' });
        await opened.ledger.appendGeneration(generationRecord({ id: 'gen_2' }), null);

        expect(opened.ledger.health().writable).toBe(true);
        expect(await opened.ledgerReader.findGeneration('gen_1')).toBeNull();
      });

      rule('commits what is queued before it closes, and refuses what comes after', async () => {
        const appended = Promise.all(
          Array.from({ length: 50 }, (_, index) =>
            opened.ledger.appendGeneration(generationRecord({ id: `gen_${index}` }), null),
          ),
        );
        const closed = opened.ledger.close();

        await expect(appended).resolves.toHaveLength(50);
        await closed;
        await opened.ledger.close();

        expect((await opened.ledgerReader.readRows('generations', 0, 100)).rows).toHaveLength(50);
        await expect(
          opened.ledger.appendGeneration(generationRecord({ id: 'gen_late' }), null),
        ).rejects.toMatchObject({ code: 'storage_unavailable' });
        expect(opened.ledger.health()).toMatchObject({ writable: false, reason: 'it is closed' });
      });
    });
  });
}
