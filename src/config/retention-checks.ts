import type { GatewayConfig } from './schema.ts';
import type { PathFault } from './schema-fault.ts';

const HOURS_PER_DAY = 24;

/** No row may go by age while an outcome that counts for it can still come, or an interval still waits to be folded. */
export function retentionFaults(config: GatewayConfig): readonly PathFault[] {
  const { rows_days: rowsDays } = config.ledger.retention;
  if (rowsDays === null) return [];
  const windows = Object.entries(config.metrics).map(
    ([name, metric]) => [name, metric.attribution_window_hours] as const,
  );
  const longest = windows.sort(([, left], [, right]) => right - left)[0];
  if (longest === undefined) return [];
  const [metric, windowHours] = longest;
  const graceHours = Math.max(
    0,
    ...Object.values(config.experiments).map((experiment) => experiment.grace_hours),
  );
  const neededDays = Math.ceil((windowHours + graceHours) / HOURS_PER_DAY) + 1;
  if (rowsDays >= neededDays) return [];
  const grace = graceHours === 0 ? '' : `, the grace of ${graceHours} h`;
  return [
    {
      path: ['ledger', 'retention', 'rows_days'],
      message: `${rowsDays} is less than the attribution window of "${metric}" (${windowHours} h)${grace} and a day: set it to ${neededDays} at least`,
    },
  ];
}
