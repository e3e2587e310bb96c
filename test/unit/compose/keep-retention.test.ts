import { describe, expect, test } from '@jest/globals';

import { keepRetention } from '../../../src/compose/keep-retention.ts';
import { configSchema, type GatewayConfig } from '../../../src/config/schema.ts';
import { AppError, silentLogger } from '../../../src/kernel/index.ts';
import type { RetentionProgress, RetentionStep } from '../../../src/ledger/index.ts';
import { manualClock } from '../../fakes/manual-clock.ts';

const DAY_MS = 86_400_000;

const IDLE: RetentionProgress = {
  contentsErased: 0,
  rowsDeleted: 0,
  reason: null,
  returnedBytes: 0,
  isDone: true,
  heldBy: [],
  isFull: false,
  sizes: { fileBytes: 4_096, usedBytes: 4_096, logBytes: 0 },
  horizons: { rowsMs: null, contentsMs: null },
};

function configWith(retention: Partial<GatewayConfig['ledger']['retention']> = {}): GatewayConfig {
  const metrics = { completed: { type: 'boolean', attribution_window_hours: 1 } };
  return configSchema.parse({ providers: {}, routes: {}, metrics, ledger: { retention } });
}

/** A ledger that answers what the test says next, and keeps what it was asked. */
function scripted(config = configWith()) {
  const clock = manualClock();
  const steps: RetentionStep[] = [];
  const answers: (Partial<RetentionProgress> | AppError)[] = [];
  const keeper = keepRetention({
    ledger: {
      retain: async (step) => {
        steps.push(step);
        const answer = answers.shift() ?? {};
        if (answer instanceof AppError) throw answer;
        return { ...IDLE, ...answer };
      },
    },
    config,
    policies: () => ['tips'],
    clock,
    logger: silentLogger,
  });
  return { clock, steps, answers, keeper };
}

describe('keeping retention', () => {
  test('looks at the size from the start, and deletes by age only after a minute', async () => {
    const { clock, steps, keeper } = scripted(configWith({ contents_days: 2, rows_days: 30 }));
    await clock.advance(59_000);
    const early = steps.filter((step) => step.deleteRowsBeforeMs !== null);

    await clock.advance(2_000);

    const due = steps.find((step) => step.deleteRowsBeforeMs !== null);
    expect(steps.length).toBeGreaterThan(50);
    expect(early).toEqual([]);
    expect(due).toMatchObject({
      eraseContentsBeforeMs: (due?.nowMs ?? 0) - 2 * DAY_MS,
      deleteRowsBeforeMs: (due?.nowMs ?? 0) - 30 * DAY_MS,
      policies: ['tips'],
    });
    await keeper.close();
  });

  test('never deletes by age what is to be kept for ever', async () => {
    const { clock, steps, keeper } = scripted(configWith({ contents_days: null, rows_days: null }));
    await clock.advance(200_000);

    expect(
      steps.every((step) => step.deleteRowsBeforeMs === null && step.eraseContentsBeforeMs === null),
    ).toBe(true);
    await keeper.close();
  });

  test('pauses between steps by age, and does not between steps by size', async () => {
    const { clock, steps, answers, keeper } = scripted();
    await clock.settle();
    answers.push(
      { reason: 'size', rowsDeleted: 7, isDone: false },
      { reason: 'size', rowsDeleted: 5, isDone: false },
      { reason: 'age', rowsDeleted: 3, contentsErased: 2, isDone: false },
    );

    await clock.advance(1_000);
    const bySize = steps.length;
    await clock.advance(50);

    expect(bySize).toBe(4);
    expect(steps.length).toBe(5);
    expect(keeper.status()).toMatchObject({
      rowsDeleted: { age: 3, size: 12 },
      contentsErased: { age: 2, size: 0 },
    });
    await keeper.close();
  });

  test('says what failed until a step succeeds, and goes on', async () => {
    const { clock, answers, keeper } = scripted();
    await clock.settle();
    answers.push(new AppError('storage_unavailable', 'the disk is full'));

    await clock.advance(1_000);
    const failed = keeper.status().failure;
    await clock.advance(5_000);

    expect(failed).toBe('the disk is full');
    expect(keeper.status().failure).toBeNull();
    await keeper.close();
  });

  test('says so while the size limit takes calls whose outcomes may still come, and stops saying it', async () => {
    const { clock, answers, keeper } = scripted();
    await clock.settle();
    const rowsMs = clock.nowMs() - 3_300_000;
    answers.push({
      reason: 'size',
      rowsDeleted: 100,
      isDone: false,
      horizons: { rowsMs, contentsMs: null },
    });

    await clock.advance(1_000);
    const early = keeper.status().earlyFromMs;
    // Until the window of the metric, an hour, has closed for all that are left.
    await clock.advance(400_000);

    expect(early).toBe(rowsMs);
    expect(keeper.status().earlyFromMs).toBeNull();
    await keeper.close();
  });
});
