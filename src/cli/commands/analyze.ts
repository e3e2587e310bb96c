import type { RewardReport } from '../../analytics/index.ts';
import type { CliContext } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { openInput } from '../open-input.ts';
import type { RewardScale } from '../reward-scale-option.ts';
import { writeJson, writeText } from '../write-output.ts';

export interface AnalyzeOptions {
  readonly alpha: number;
  readonly metricRange: RewardScale;
  readonly baseline?: string;
  readonly json?: boolean;
}

/** Prints the report by variant of observations from elsewhere. */
export async function analyze(file: string, options: AnalyzeOptions, context: CliContext): Promise<ExitCode> {
  const [{ reportRewardLog }, { analyzeText }] = await Promise.all([
    import('../../analytics/index.ts'),
    import('./analyze-text.ts'),
  ]);
  const report = await reportRewardLog(openInput(file, context), {
    alpha: options.alpha,
    scale: options.metricRange,
    baseline: options.baseline ?? null,
  });
  if (options.json === true) await writeJson(context.stdout, analyzeJson(report));
  else await writeText(context.stdout, analyzeText(report));
  return EXIT.ok;
}

function analyzeJson({ scale, variants, ...report }: RewardReport): object {
  return {
    ok: true,
    ...report,
    metric_range: [scale.min, scale.max],
    variants: variants.map(({ interval, ips, ...row }) => ({
      ...row,
      lower: interval.lower,
      upper: interval.upper,
      ips:
        ips === null
          ? null
          : { mean: ips.mean, standard_error: ips.standardError, mean_weight: ips.meanWeight },
    })),
  };
}
