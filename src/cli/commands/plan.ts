import type { Plan, PlannedOutcomes } from '../../analytics/index.ts';
import { seededRandom } from '../../kernel/index.ts';
import type { CliContext } from '../cli-context.ts';
import { createProgressLine } from '../demo/progress-line.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { UsageError } from '../usage-error.ts';
import { writeJson, writeText } from '../write-output.ts';

export interface PlanCommandOptions {
  readonly baseline: number;
  readonly lift: number;
  readonly arms: number;
  readonly policy: 'fixed' | 'thompson';
  readonly floor?: number;
  readonly alpha: number;
  readonly power: number;
  readonly runs: number;
  readonly maxOutcomes: number;
  readonly seed: number;
  readonly json?: boolean;
}

/** Prints how many outcomes an experiment is likely to need. */
export async function plan(options: PlanCommandOptions, context: CliContext): Promise<ExitCode> {
  refuseImpossible(options);
  const { planExperiment } = await import('../../analytics/index.ts');
  const { baseline, lift, arms, policy, alpha, power, runs } = options;
  const progress = createProgressLine(context.stderr, runs, 'simulating experiments');
  const planned = planExperiment(
    {
      baseline,
      lift,
      arms,
      policy,
      alpha,
      power,
      runs,
      floor: options.floor ?? null,
      mostOutcomes: options.maxOutcomes,
    },
    seededRandom(options.seed),
    (runsDone) => progress.update(runsDone, ''),
  );
  progress.finish();
  if (options.json === true) await writeJson(context.stdout, planJson(planned, options));
  else await writeText(context.stdout, planText(planned, options));
  return EXIT.ok;
}

/** What no single option shows to be wrong. Fails with `invalid_request`. */
function refuseImpossible({ baseline, lift, arms, floor, policy }: PlanCommandOptions): void {
  if (lift === 0) {
    throw new UsageError('--lift 0 is never certain: give the smallest difference worth finding.');
  }
  const lifted = baseline + lift;
  if (lifted < 0 || lifted > 1) {
    throw new UsageError(
      `--baseline ${baseline} and --lift ${lift} make a mean of ${Number(lifted.toFixed(9))}; rewards are planned within [0, 1]. The lift is a difference: from 0.2 to 0.25 it is 0.05.`,
    );
  }
  if (floor !== undefined && policy === 'fixed') {
    throw new UsageError('--floor belongs to --policy thompson: fixed shares are all equal.');
  }
  if (floor !== undefined && floor > 1 / arms) {
    throw new UsageError(`--floor ${floor} is more than ${arms} arms can all have: at most ${1 / arms}.`);
  }
}

function planJson(planned: Plan, { seed, maxOutcomes }: PlanCommandOptions): object {
  const { options, median, atPower, certainShare, wrongShare, liftedShare } = planned;
  const { mostOutcomes: _, ...asked } = options;
  return {
    ok: true,
    ...asked,
    max_outcomes: maxOutcomes,
    seed,
    median,
    at_power: atPower,
    certain_share: certainShare,
    wrong_share: wrongShare,
    lifted_share: liftedShare,
  };
}

function planText(planned: Plan, options: PlanCommandOptions): string {
  const { baseline, lift, arms, policy, alpha, power, runs, seed, maxOutcomes } = options;
  const row = (label: string, value: string): string => `${label.padEnd(33)}${value}`;
  const percent = (share: number): string => `${Number((100 * share).toFixed(1))} %`;
  const shown = ({ outcomes, lower, upper }: PlannedOutcomes): string =>
    outcomes === null
      ? `more than ${maxOutcomes} outcomes`
      : `${outcomes} outcomes (by simulation between ${lower ?? '?'} and ${upper ?? `more than ${maxOutcomes}`})`;
  const others = arms > 2 ? ' All further arms equal the baseline.' : '';
  const { floor } = planned.options;
  return [
    `${runs} simulated experiments, ${arms} arms, policy ${policy}${floor === null ? '' : ` (floor ${Number(floor.toFixed(6))})`}, seed ${seed}: mean ${baseline} against ${Number((baseline + lift).toFixed(9))}.${others}`,
    '',
    row('half of them are certain by', shown(planned.median)),
    row(`${percent(power)} of them by`, shown(planned.atPower)),
    row(`certain within ${maxOutcomes}`, percent(planned.certainShare)),
    row('wrong about any arm', `${percent(planned.wrongShare)} (promised: at most ${percent(alpha)})`),
    row('share of the arm with the lift', percent(planned.liftedShare)),
    '',
    'Outcomes count over all arms, rewards are 0 or 1. "Certain" is what the report says: the beta-binomial',
    `difference to the baseline leaves out 0 at ${percent(1 - alpha)}${arms > 2 ? `, corrected for ${arms - 1} comparisons` : ''}, however often one looks.`,
    '',
  ].join('\n');
}
