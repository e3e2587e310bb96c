import { type BenchResults, summaryOf } from './results.ts';
import { SCENARIOS } from './scenario.ts';

/** The least that the gateway with its durable log must do of what the reference does without any, at 64 callers. */
const MIN_TIMES_REFERENCE = 1.8;

interface Check {
  readonly name: string;
  readonly isMet: boolean;
  readonly found: string;
}

/** Tells every floor with what was found, and how many hold; returns whether all do. */
export function checkFloors(results: BenchResults, tell: (line: string) => void): boolean {
  const checks = [...speedChecks(results), ...soundnessChecks(results), ...rowChecks(results)];
  for (const { name, isMet, found } of checks) tell(`${isMet ? 'holds' : 'FAILS'}: ${name} (${found})`);
  const failed = checks.filter(({ isMet }) => !isMet).length;
  tell(`${checks.length - failed} passed, ${failed} failed, 0 skipped`);
  return failed === 0;
}

function speedChecks(results: BenchResults): readonly Check[] {
  return SCENARIOS.filter(({ name }) => name === 'c64').flatMap((scenario) => {
    const ratio = summaryOf(results, scenario, 'gateway')?.timesReference;
    if (ratio == null) return [];
    const name = `at least ${MIN_TIMES_REFERENCE} × the reference at 64 callers, durably logged`;
    return [{ name, isMet: ratio >= MIN_TIMES_REFERENCE, found: ratio.toFixed(2) }];
  });
}

function soundnessChecks(results: BenchResults): readonly Check[] {
  return SCENARIOS.flatMap((scenario) => {
    const summary = summaryOf(results, scenario, 'gateway');
    if (summary === null) return [];
    const { errors, firstError, hiddenRetries } = summary;
    return [
      { name: `${scenario.name}: no errors`, isMet: errors === 0, found: firstError ?? 'none' },
      {
        name: `${scenario.name}: no hidden retries`,
        isMet: hiddenRetries === 0,
        found: `${hiddenRetries} calls upstream that nothing explains`,
      },
    ];
  });
}

function rowChecks(results: BenchResults): readonly Check[] {
  return results.contenders.flatMap(({ title, rows }) =>
    rows === null
      ? []
      : [
          {
            name: `${title}: a row for every call upstream`,
            isMet: rows.generations === rows.upstreamCalls,
            found: `${rows.generations} rows, ${rows.upstreamCalls} calls`,
          },
        ],
  );
}
