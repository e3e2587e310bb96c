import Table from 'cli-table3';

import type { OfflineEvaluation } from '../../analytics/index.ts';

interface Asked {
  readonly alpha: number;
  readonly switchTau: number;
}

/** The evaluation as a table, for people. */
export function offPolicyText(evaluation: OfflineEvaluation, options: Asked): string {
  const table = new Table({
    head: ['estimator', 'value', 'std. error', 'remark'],
    colAligns: ['left', 'right', 'right', 'left'],
    style: { head: [], border: [] },
  });
  table.push(...rowsOf(evaluation, options));
  const { interval, gate, meanWeight, n } = evaluation;
  const percent = Number((100 * (1 - options.alpha)).toFixed(6));
  const row = (label: string, value: string): string => `${label.padEnd(25)}${value}`;
  return [
    table.toString(),
    '',
    row('decisions', String(n)),
    row('effective sample size', evaluation.effectiveSampleSize.toFixed(1)),
    row('greatest weight', decimal(evaluation.maxWeight)),
    row(
      'mean weight',
      `${decimal(meanWeight?.value)} (should be 1; std. error ${decimal(meanWeight?.standardError)})`,
    ),
    row('target without support', `${(100 * evaluation.shareWithoutSupport).toFixed(1)} %`),
    row(`${percent} % interval`, `${decimal(interval.lower)} to ${decimal(interval.upper)}`),
    '',
    'The interval is a gamma-exponential confidence sequence: it may be read at any moment, after any decision.',
    'The standard errors hold for one look at a log whose length was fixed before.',
    ...(gate.ok
      ? ['', 'The log can answer the question: act on the interval.']
      : ['', 'refuses to conclude:', ...gate.reasons.map(({ message }) => `  - ${message}`)]),
    '',
  ].join('\n');
}

function rowsOf(evaluation: OfflineEvaluation, { switchTau }: Asked): string[][] {
  const { ips, snips, dm, dr, sndr, switchDr, drOs } = evaluation;
  const hasModel = dm !== null;
  const rows: readonly (readonly [string, OfflineEvaluation['ips'], string])[] = [
    ['IPS', ips, 'unbiased, if the propensities are true'],
    ['SNIPS', snips, 'divided by the mean weight: steadier'],
    ['DM', dm, 'the reward model alone: as biased as it is'],
    ['DR', dr, 'model and weights: unbiased if either is right'],
    ['SNDR', sndr, 'DR, its correction divided by the mean weight'],
    [`SWITCH (${switchTau})`, switchDr, 'DR, the model alone where a weight is greater'],
    ['DRos', drOs, 'DR with shrunken weights'],
  ];
  return rows.map(([name, estimate, remark]) => [
    name,
    decimal(estimate?.value),
    decimal(estimate?.standardError),
    estimate === null ? absence(name, hasModel) : remark,
  ]);
}

/** The estimators that are divided by the weights have no value where all of them are 0. */
function absence(name: string, hasModel: boolean): string {
  return hasModel || name === 'SNIPS' ? 'no decision is one of the target: all weights are 0' : 'needs q_hat';
}

function decimal(value: number | null | undefined): string {
  return value === null || value === undefined ? '-' : value.toFixed(6);
}
