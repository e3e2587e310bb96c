import { describe, expect, test } from '@jest/globals';

import { checkFloors } from '../../../bench/harness/floors.ts';
import { goalFigures } from '../../../bench/harness/goals.ts';
import type { Measurement } from '../../../bench/harness/measure.ts';
import type { BenchResults, ContenderFacts } from '../../../bench/harness/results.ts';

function measured(answered: number, fields: Partial<Measurement> = {}): Measurement {
  return {
    answered,
    seconds: 1,
    p50Ms: 1,
    p99Ms: 2,
    maxMs: 3,
    firstTokenP50Ms: null,
    firstTokenP99Ms: null,
    errors: 0,
    firstError: null,
    generatorCpuUs: 1,
    upstreamCalls: answered,
    hiddenRetries: 0,
    cpuUsPerRequest: 1,
    upstreamCpuUs: 1,
    rssMb: 200,
    ...fields,
  };
}

function resultsOf(
  rounds: readonly { readonly reference: Measurement; readonly gateway: Measurement }[],
  rows: ContenderFacts['rows'] = { generations: 10, upstreamCalls: 10 },
): BenchResults {
  const contender = { group: 'generate', logs: 'yes', startMs: 500, commitMs: null } as const;
  return {
    machine: { date: '2026-01-01', cores: 2, cpuModel: 'm', system: 's', nodeVersion: 'v20', syncMs: 1 },
    generator: 'wrk',
    seconds: 1,
    rounds: rounds.length,
    notInstalled: [],
    contenders: [
      { ...contender, name: 'reference', title: 'reference', rows: null },
      { ...contender, name: 'gateway', title: 'gateway', rows },
    ],
    series: (['reference', 'gateway'] as const).map((target) => ({
      scenario: 'c64',
      target,
      rounds: rounds.map((round) => round[target]),
    })),
  };
}

function failuresOf(results: BenchResults): readonly string[] {
  const lines: string[] = [];
  const isMet = checkFloors(results, (line) => lines.push(line));
  const failures = lines.filter((line) => line.startsWith('FAILS'));
  expect(isMet).toBe(failures.length === 0);
  expect(lines.at(-1)).toMatch(new RegExp(`^\\d+ passed, ${failures.length} failed, 0 skipped$`));
  return failures;
}

describe('the floors of the short form', () => {
  test('hold for a gateway that is fast enough and loses nothing', () => {
    expect(failuresOf(resultsOf([{ reference: measured(1_000), gateway: measured(2_000) }]))).toEqual([]);
  });

  test('compare within a round, so that a machine that slows down is no failure', () => {
    const rounds = [
      { reference: measured(1_000), gateway: measured(1_900) },
      { reference: measured(500), gateway: measured(950) },
      { reference: measured(250), gateway: measured(475) },
    ];

    expect(failuresOf(resultsOf(rounds))).toEqual([]);
  });

  test.each([
    ['too slow', { gateway: measured(1_700) }, null, /at least 1.8/],
    ['an error', { gateway: measured(2_000, { errors: 1, firstError: 'status 500' }) }, null, /status 500/],
    ['a hidden retry', { gateway: measured(2_000, { hiddenRetries: 3 }) }, null, /3 calls upstream/],
    ['a missing row', {}, { generations: 9, upstreamCalls: 10 }, /9 rows, 10 calls/],
  ])('fail on %s', (_, fields, rows, expected) => {
    const round = { reference: measured(1_000), gateway: measured(2_000), ...fields };
    const results = rows === null ? resultsOf([round]) : resultsOf([round], rows);

    const failures = failuresOf(results);
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatch(expected);
  });
});

test('a goal that is missed says so beside what was found', () => {
  const goals = goalFigures(resultsOf([{ reference: measured(1_000), gateway: measured(2_000) }]));

  expect(goals).toContainEqual({
    what: '`/generate`, 64 callers, durably logged, against reference',
    goal: '≥ 2.60 ×',
    figure: '2.00 ×',
    isReached: false,
  });
});
