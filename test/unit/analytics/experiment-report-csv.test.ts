import { expect, test } from '@jest/globals';
import { experimentReportCsv } from '../../../src/analytics/index.ts';
import { armOf, reportOf } from './experiment-world.ts';

test('the table has a line per arm, each with the verdict, under as many names as cells', async () => {
  const report = await reportOf({ totals: [armOf('v1', 20, 4), armOf('v3', 20, 9)] });
  const [header = '', ...lines] = experimentReportCsv(report).trimEnd().split('\r\n');

  expect(header).toMatch(/^experiment,prompt,metric,optimize,state,/);
  expect(lines).toHaveLength(2);
  const cell = (line: string, name: string) =>
    line.match(/("[^"]*"|[^,]*)(,|$)/g)?.[header.split(',').indexOf(name)]?.replace(/,$/, '');
  expect(lines.map((line) => cell(line, 'arm'))).toEqual(['v1', 'v3']);
  expect(lines.map((line) => cell(line, 'verdict'))).toEqual(['no_difference_yet', 'no_difference_yet']);
  expect(lines.map((line) => cell(line, 'mean'))).toEqual(['0.2', '0.45']);
  expect(lines.map((line) => cell(line, 'difference'))).toEqual(['', '0.25']);
});
