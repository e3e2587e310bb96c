import type { ExperimentReport, VersionReport } from '../../analytics/index.ts';
import type { CliContext } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type ConfigOption, loadCommandConfig } from '../load-command-config.ts';
import { loadConfiguredPrompts } from '../load-command-prompts.ts';
import { UsageError } from '../usage-error.ts';
import { wireJson } from '../wire-json.ts';
import { writeJson, writeText } from '../write-output.ts';

export interface ReportOptions extends ConfigOption {
  readonly metric?: string;
  readonly baseline?: string;
  /** ISO 8601. */
  readonly from?: string;
  readonly to?: string;
  readonly experiment?: string;
  readonly csv?: boolean;
  readonly json?: boolean;
}

/** What each version of a prompt earned, or each arm of an experiment, from the database file; needs no server. */
export async function report(
  prompt: string | null,
  options: ReportOptions,
  context: CliContext,
): Promise<ExitCode> {
  refuseContradictions(prompt, options);
  const { loaded } = loadCommandConfig(options, context);
  const registry = await loadConfiguredPrompts(loaded);
  const [{ openReports }, text, analytics] = await Promise.all([
    import('../open-reports.ts'),
    import('./report-text.ts'),
    import('../../analytics/index.ts'),
  ]);
  const reports = await openReports(loaded, registry, context);
  try {
    const { experiment } = options;
    if (experiment !== undefined) {
      const found = await reports.experiments.experimentReport(experiment);
      await write(found, options, context, {
        csv: () => analytics.experimentReportCsv(found),
        text: () => text.experimentReportText(found),
      });
      return EXIT.ok;
    }
    const found = await reports.versions.versionReport({
      prompt: prompt ?? loaded.config.prompts.default,
      metric: options.metric ?? null,
      baseline: options.baseline ?? null,
      from: options.from ?? null,
      to: options.to ?? null,
    });
    await write(found, options, context, {
      csv: () => analytics.versionReportCsv(found),
      text: () => text.versionReportText(found),
    });
    return EXIT.ok;
  } finally {
    await reports.close();
  }
}

function refuseContradictions(prompt: string | null, options: ReportOptions): void {
  const { experiment, csv, json, metric, baseline, from, to } = options;
  if (csv === true && json === true) {
    throw new UsageError('--csv and --json are two forms: choose one');
  }
  const isDefined = [prompt ?? undefined, metric, baseline, from, to].some((value) => value !== undefined);
  if (experiment !== undefined && isDefined) {
    throw new UsageError('--experiment stands alone: its definition says prompt, metric, baseline and time');
  }
}

async function write(
  found: VersionReport | ExperimentReport,
  { csv, json }: ReportOptions,
  context: CliContext,
  forms: { readonly csv: () => string; readonly text: () => string },
): Promise<void> {
  if (json === true) await writeJson(context.stdout, wireJson({ ok: true, ...found }));
  else await writeText(context.stdout, csv === true ? forms.csv() : forms.text());
}
