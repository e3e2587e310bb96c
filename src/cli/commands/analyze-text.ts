import Table from 'cli-table3';

import type { RewardReport } from '../../analytics/index.ts';

type Variant = RewardReport['variants'][number];

/** The report as a table, for people. */
export function analyzeText(report: RewardReport): string {
  const percent = Number((100 * report.confidence).toFixed(6));
  const isWeighted = report.variants.some(({ ips }) => ips !== null);
  const table = new Table({
    head: [
      'variant',
      'n',
      'mean',
      `${percent} % interval`,
      `lift vs ${report.baseline}`,
      ...(isWeighted ? ['IPS mean', 'std. error', 'mean weight'] : []),
    ],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [] },
  });
  for (const variant of report.variants) table.push(rowOf(variant, isWeighted));
  return [
    table.toString(),
    '',
    report.summary,
    `The intervals are a ${report.method}: they may be read at any moment. They hold where a variant`,
    'earns the same on average over the whole file, whoever got it.',
    ...(report.comparisons > 1 ? [`The ${report.comparisons} lifts hold together.`] : []),
    ...report.warnings.map(({ message }) => `warning: ${message}`),
    '',
  ].join('\n');
}

function rowOf({ variant, n, mean, interval, lift, ips }: Variant, isWeighted: boolean): string[] {
  const isCompared = lift !== null && lift.difference !== null;
  return [
    variant,
    String(n),
    decimal(mean),
    `${decimal(interval.lower)} to ${decimal(interval.upper)}`,
    isCompared ? `${signed(lift.difference)} (${signed(lift.lower)} to ${signed(lift.upper)})` : '-',
    ...(isWeighted ? [decimal(ips?.mean), decimal(ips?.standardError), decimal(ips?.meanWeight)] : []),
  ];
}

function decimal(value: number | null | undefined): string {
  return value === null || value === undefined ? '-' : value.toFixed(4);
}

function signed(value: number | null): string {
  return value === null ? '-' : `${value < 0 ? '' : '+'}${value.toFixed(4)}`;
}
