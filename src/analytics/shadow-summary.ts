import type { EstimateShown, PairedShares, ShadowReport } from './shadow-report.ts';

type Summarised = Pick<
  ShadowReport,
  | 'kind'
  | 'version'
  | 'route'
  | 'model'
  | 'policy'
  | 'runs'
  | 'dropped'
  | 'errors'
  | 'schemaFailures'
  | 'choices'
> & { readonly latencyRatio: EstimateShown | null; readonly costRatio: number | null };

/** What shadow runs have shown, in plain words. Calls a difference certain only when its interval leaves out 0. */
export function shadowSummary(report: Summarised): string {
  if (report.runs === 0) return noRuns(report);
  const name = candidateName(report);
  const parts =
    report.kind === 'policy'
      ? [choices(name, report)]
      : [
          failures(name, report),
          ...(report.schemaFailures === null ? [] : [schema(report.schemaFailures)]),
          ...(report.latencyRatio === null ? [] : [latency(report.latencyRatio)]),
          ...(report.costRatio === null ? [] : [cost(report.costRatio)]),
        ];
  return `${parts.join('; ')}.`;
}

function noRuns({ dropped }: Summarised): string {
  if (dropped.length === 0) return 'No shadow run yet.';
  const reasons = dropped.map(({ reason, calls }) => `${reason} ${calls}`).join(', ');
  return `No shadow run yet; sampled calls were dropped: ${reasons}.`;
}

function candidateName({ kind, version, route, model, policy }: Summarised): string {
  if (kind === 'policy') return policy ?? 'the candidate';
  const where = [
    ...(route === null ? [] : [`route ${route}`]),
    ...(model === null ? [] : [`model ${model}`]),
  ].join(', ');
  if (version === null) return `the candidate (${where})`;
  return where === '' ? version : `${version} (${where})`;
}

function failures(name: string, { runs, errors }: Summarised): string {
  const both = `${name} failed in ${percent(errors.shadow.share)} of ${count(runs, 'shadow run')}, the live calls in ${percent(errors.live.share)}`;
  return `${both}: ${difference(errors.difference, 'fails', runs)}`;
}

function schema(shares: PairedShares): string {
  return `${percent(shares.shadow.share)} of its answers do not fit their schema, ${percent(shares.live.share)} of the live ones`;
}

function difference({ lower, upper }: EstimateShown, verb: string, runs: number): string {
  if (lower !== null && upper !== null && lower > 0) {
    return `it ${verb} more often, by ${points(lower)} to ${points(upper)} percentage points`;
  }
  if (lower !== null && upper !== null && upper < 0) {
    return `it ${verb} less often, by ${points(-upper)} to ${points(-lower)} percentage points`;
  }
  return `after ${count(runs, 'run')} at most ${points(upper ?? 1)} percentage points more often`;
}

function latency({ value, lower, upper }: EstimateShown): string {
  const times = `${ratio(value ?? 1)} times as long`;
  if (lower === null || upper === null) return `answers take ${times}, too few for an interval`;
  const range = `(${ratio(lower)} to ${ratio(upper)})`;
  return lower <= 1 && upper >= 1
    ? `no certain difference in latency, ${times} ${range}`
    : `answers take ${times} ${range}`;
}

function cost(value: number): string {
  const change = Math.round(Math.abs(value - 1) * 100);
  if (change === 0) return 'the cost is the same';
  return `${change} % ${value < 1 ? 'cheaper' : 'more expensive'}`;
}

function choices(name: string, { runs, choices: shown }: Summarised): string {
  if (shown === null) return `${name} ranked ${count(runs, 'call')}`;
  const { share, lower, upper } = shown.agreed;
  return `${name} ranked ${count(runs, 'call')} and chose what the live policy chose in ${percent(share)} of them (${percent(lower)} to ${percent(upper)})`;
}

function count(n: number, noun: string): string {
  return `${n.toLocaleString('en-US')} ${noun}${n === 1 ? '' : 's'}`;
}

function percent(share: number | null): string {
  if (share === null) return 'none';
  return `${(share * 100).toFixed(share > 0 && share < 0.0005 ? 2 : 1)} %`;
}

function points(difference: number): string {
  return (difference * 100).toFixed(1);
}

function ratio(value: number): string {
  return value.toFixed(2);
}
