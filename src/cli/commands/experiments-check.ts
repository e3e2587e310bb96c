import { existsSync } from 'node:fs';

import type { LoadedConfig } from '../../config/index.ts';
import type { CheckedExperiment, PlacedLabel } from '../../experiments/index.ts';
import type { CliContext } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type ConfigOption, loadCommandConfig } from '../load-command-config.ts';
import { loadConfiguredPrompts } from '../load-command-prompts.ts';
import { writeJson, writeLine } from '../write-output.ts';

export interface ExperimentsCheckOptions extends ConfigOption {
  readonly json?: boolean;
}

/** Labels are few; their moves are read in pages of this many. */
const PAGE_EVENTS = 500;

/** Checks every definition against prompts, metrics and labels. Exit code 1 when one is at fault. */
export async function experimentsCheck(
  options: ExperimentsCheckOptions,
  context: CliContext,
): Promise<ExitCode> {
  const { loaded } = loadCommandConfig(options, context);
  const registry = await loadConfiguredPrompts(loaded);
  const { checkExperiments } = await import('../../experiments/index.ts');
  const placed = await readLabels(loaded);
  const { experiments, faults, warnings } = checkExperiments({
    config: loaded.config,
    registry,
    moved: placed ?? [],
    nowMs: context.clock.nowMs(),
  });
  const isOk = faults.length === 0;
  if (options.json === true) {
    await writeJson(context.stdout, {
      ok: isOk,
      database: placed === null ? null : loaded.databaseFile,
      experiments: experiments.map(experimentJson),
      faults,
      warnings,
    });
    return isOk ? EXIT.ok : EXIT.failed;
  }
  for (const { path, message } of faults) await writeLine(context.stdout, `${path}  ${message}`);
  for (const { path, message } of warnings) await writeLine(context.stderr, `warning: ${path}  ${message}`);
  if (placed === null) {
    await writeLine(
      context.stderr,
      `warning: ${loaded.databaseFile} does not exist yet: labels are taken from the configuration`,
    );
  }
  for (const { experiment, state, labels } of experiments) {
    const arms = experiment.arms.map(({ name, version }) => `${name}=${version}`).join(' ');
    const by = labels.map((label) => `@${label}`).join(' ');
    await writeLine(
      context.stdout,
      `${experiment.name}  ${state}  ${experiment.prompt}  ${arms}  ${experiment.metric}  ${experiment.policy.kind}  ${by || 'no label'}`,
    );
  }
  const count = `${experiments.length} ${experiments.length === 1 ? 'experiment' : 'experiments'}`;
  const faultCount = `${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}`;
  await writeLine(context.stdout, isOk ? `ok: ${count}` : `failed: ${faultCount}`);
  return isOk ? EXIT.ok : EXIT.failed;
}

/** Where labels point in the ledger; null when there is none yet. Fails with `storage_invalid`. */
async function readLabels({ databaseFile }: LoadedConfig): Promise<readonly PlacedLabel[] | null> {
  if (!existsSync(databaseFile)) return null;
  const { openSqliteReader } = await import('../../storage/sqlite/index.ts');
  const { labelEvents, close } = await openSqliteReader({ file: databaseFile });
  try {
    const placed = new Map<string, PlacedLabel>();
    let afterSequence = 0;
    for (;;) {
      const events = await labelEvents.eventsAfter(afterSequence, PAGE_EVENTS);
      // Oldest first: the last move of a label is where it points.
      for (const { prompt, label, to } of events) placed.set(`${prompt}@${label}`, { prompt, label, to });
      const last = events.at(-1);
      if (last === undefined || events.length < PAGE_EVENTS) return [...placed.values()];
      afterSequence = last.sequence;
    }
  } finally {
    await close();
  }
}

function experimentJson({ experiment, state, labels }: CheckedExperiment): object {
  const { name, revision, prompt, baseline, metric, policy, arms } = experiment;
  return {
    experiment: name,
    revision,
    prompt,
    state,
    metric,
    policy: policy.kind,
    baseline,
    arms: arms.map((arm) => ({ arm: arm.name, prompt_version: arm.version })),
    labels,
  };
}
