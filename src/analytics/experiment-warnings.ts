import type { ArmEvidence } from './experiment-arms.ts';
import type { RevisionUnits } from './experiment-reader.ts';
import type { ExperimentWarning } from './experiment-report.ts';
import type { ExperimentSequences } from './experiment-sequences.ts';

/** From this share on what is no model's answer can move a mean by more than most differences between versions. */
const NOTABLE_SHARE = 0.05;

/** What a reader must know before acting on an experiment. */
export function experimentWarnings(
  arms: readonly ArmEvidence[],
  revisions: readonly RevisionUnits[],
  checkedUnits: number,
  fault: ExperimentSequences['fault'],
): readonly ExperimentWarning[] {
  const definitions = new Set(revisions.map(({ experimentRevision }) => experimentRevision)).size;
  const units = arms.reduce((sum, { row }) => sum + row.units, 0);
  const uncheckedUnits = units - checkedUnits;
  const warnings: ExperimentWarning[] = [];
  if (definitions > 1) {
    warnings.push({
      code: 'several_definitions',
      arm: null,
      message: `Units were assigned under ${definitions} definitions of this experiment: its numbers mix them. A new name starts afresh.`,
    });
  }
  if (uncheckedUnits > 0) {
    warnings.push({
      code: 'unchecked_units',
      arm: null,
      message: `${uncheckedUnits} units were assigned under policy revisions whose propensities are not known: the sample-ratio test leaves them out.`,
    });
  }
  if (fault === 'unbalanced') {
    warnings.push({
      code: 'unbalanced_rewards',
      arm: null,
      message:
        'Units with a reward do not come in the arms as the logged propensities say: no drift-safe interval is given. Where users of one arm answer more often than others, declare the metric with "missing": "zero".',
    });
  }
  return [
    ...warnings,
    ...arms.flatMap(armWarnings),
    // Under several definitions the two intervals are about different units.
    ...(definitions > 1 ? [] : arms.flatMap(driftWarnings)),
  ];
}

function armWarnings({ row, settled }: ArmEvidence): readonly ExperimentWarning[] {
  const { arm } = row;
  const warnings: ExperimentWarning[] = [];
  if (row.promptVersion === null) {
    warnings.push({
      code: 'unknown_arm',
      arm,
      message: `${arm} has traffic but is no arm of the definition: it is not compared.`,
    });
  }
  if (settled.rescaled === null) {
    warnings.push({
      code: 'reward_out_of_range',
      arm,
      message: `${arm} has rewards outside the declared range of the metric: no interval is computed for it.`,
    });
  }
  if (row.degradedShare >= NOTABLE_SHARE) {
    warnings.push({
      code: 'degraded_traffic',
      arm,
      message: `${percent(row.degradedShare)} of the calls of ${arm} were answered with authored lines: its numbers tell as much about those as about the prompt.`,
    });
  }
  if (row.errorShare >= NOTABLE_SHARE) {
    warnings.push({
      code: 'failed_traffic',
      arm,
      message: `${percent(row.errorShare)} of the calls of ${arm} failed: a unit counts from its first answer on, so users who gave up are missing.`,
    });
  }
  return warnings;
}

function driftWarnings({ row }: ArmEvidence): readonly ExperimentWarning[] {
  const { arm, driftSafe, lower, upper } = row;
  if (driftSafe === null || (driftSafe.lower <= upper && lower <= driftSafe.upper)) return [];
  return [
    {
      code: 'drift',
      arm,
      message: `What ${arm} earns has moved while the policy moved its traffic: its mean and its drift-safe interval exclude each other. Read the drift-safe one.`,
    },
  ];
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
