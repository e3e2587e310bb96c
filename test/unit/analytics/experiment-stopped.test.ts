import { describe, expect, test } from '@jest/globals';
import { experimentReportCsv } from '../../../src/analytics/index.ts';
import { armOf, reportOf, reportsOf } from './experiment-world.ts';

const AT_MS = Date.UTC(2026, 10, 23, 10);
const BY_GUARDRAIL = {
  by: 'guardrail',
  atMs: AT_MS,
  reason: 'error_rate of v3 is certainly more than 0.02 worse than that of v1: by 0.11 to 0.3',
  actor: 'gateway',
  guardrail: 'error_rate',
} as const;
const CLEAR = [armOf('v1', 1_000, 200), armOf('v3', 1_000, 500)];

describe('the report of a stopped experiment', () => {
  test('says first what users get and why, then what was found', async () => {
    const report = await reportOf({ totals: CLEAR, stop: BY_GUARDRAIL });

    expect(report.state).toBe('stopped_by_guardrail');
    expect(report.verdict.state).toBe('better');
    expect(report.verdict.text).toMatch(
      /^Stopped by its guardrail at 2026-11-23T10:00:00.000Z, every call gets v1: error_rate of v3 is .*\. v3 is better/,
    );
    expect(report.stopped).toMatchObject({ by: 'guardrail', at: '2026-11-23T10:00:00.000Z' });
    const [header, row] = experimentReportCsv(report).split('\r\n');
    expect(header).toContain(',stopped_at,stopped_by,');
    expect(row).toContain(',2026-11-23T10:00:00.000Z,guardrail,');
  });

  test('says so in the list, too', () => {
    const stop = { ...BY_GUARDRAIL, by: 'admin', guardrail: null } as const;

    expect(reportsOf({ stop }).list()).toMatchObject([{ state: 'stopped_by_admin' }]);
  });
});

describe('an alarm of the assignment', () => {
  test('that was noticed once stays on, however the numbers look now, and no verdict comes', async () => {
    const sound = await reportOf({ totals: CLEAR });
    const alarmed = await reportOf({ totals: CLEAR, alarm: { atMs: AT_MS, pValue: 0.0004 } });

    expect(sound.sampleRatio).toMatchObject({ alarm: false, alarmedAt: null });
    expect(sound.verdict.state).toBe('better');
    expect(alarmed.sampleRatio).toMatchObject({ alarm: true, alarmedAt: '2026-11-23T10:00:00.000Z' });
    expect(alarmed.sampleRatio.pValue).toBe(sound.sampleRatio.pValue);
    expect(alarmed.verdict).toMatchObject({ state: 'assignment_broken', arm: null, comparisons: [] });
  });
});
