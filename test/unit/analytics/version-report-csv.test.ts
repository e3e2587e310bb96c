import { describe, expect, test } from '@jest/globals';
import { versionReportCsv } from '../../../src/analytics/index.ts';
import { runReport, totalsOf, zeroOrOne } from './report-world.ts';

describe('the report as CSV', () => {
  test('has one header line, one line per version and CRLF ends', async () => {
    const { report } = await runReport({
      totals: [
        totalsOf('v1', { delivered: 4, outcomes: zeroOrOne(4, 1) }),
        totalsOf('v2', { delivered: 4, outcomes: zeroOrOne(4, 3) }),
      ],
    });

    const lines = versionReportCsv(report).split('\r\n');

    expect(lines).toHaveLength(4);
    expect(lines[3]).toBe('');
    const [header, v1, v2] = lines.map((line) => line.split(','));
    const at = (cells: readonly string[] | undefined, column: string) =>
      cells?.[header?.indexOf(column) ?? -1];
    expect(at(v1, 'prompt_version')).toBe('v1');
    expect(at(v1, 'mean')).toBe('0.25');
    expect(at(v1, 'lift')).toBe('');
    expect(at(v1, 'cost_usd')).toBe('');
    expect(at(v2, 'lift')).toBe('0.5');
    expect(at(v2, 'evidence')).toBe('anytime-valid');
    expect(v1?.length).toBe(header?.length);
  });

  test.each([
    ['=1+1', "'=1+1"],
    ['+cmd', "'+cmd"],
    ['-2', "'-2"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', "'\t=1"],
    ['a,b', '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ['two\r\nlines', '"two\r\nlines"'],
    ['=A1,"x"', `"'=A1,""x"""`],
  ])('keeps the text %j inert and whole', async (name, cell) => {
    const { report } = await runReport({ versions: [name] });

    expect(versionReportCsv(report)).toContain(`anytime-valid,${cell},true`);
  });

  test('negative numbers stay numbers', async () => {
    const { report } = await runReport({
      totals: [
        totalsOf('v1', { delivered: 2, outcomes: zeroOrOne(2, 2) }),
        totalsOf('v2', { delivered: 2, outcomes: zeroOrOne(2, 0) }),
      ],
    });

    expect(versionReportCsv(report)).toContain(',-1,');
  });
});
