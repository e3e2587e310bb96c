import { AppError } from '../kernel/index.ts';
import type { VersionSource } from '../ledger/index.ts';

/** Which calls of a prompt a report is about. Null: whichever. */
export interface ReportFilter {
  readonly model: string | null;
  readonly source: VersionSource | null;
  readonly forced: boolean | null;
  readonly degraded: boolean | null;
  readonly experiment: string | null;
  readonly arm: string | null;
}

/** As a reader asks for it. `segment`: see {@link SEGMENTS}. */
export interface ReportFilterRequest {
  readonly model: string | null;
  readonly source: VersionSource | null;
  readonly segment: string | null;
}

export const EVERY_CALL: ReportFilter = {
  model: null,
  source: null,
  forced: null,
  degraded: null,
  experiment: null,
  arm: null,
};

/** Asks for every call. */
export const NO_FILTERS: ReportFilterRequest = { model: null, source: null, segment: null };

const SEGMENTS: ReadonlyMap<string, Partial<ReportFilter>> = new Map([
  ['forced', { forced: true }],
  ['assigned', { forced: false }],
  ['model_answers', { degraded: false }],
  ['authored_lines', { degraded: true }],
]);

/** `experiment:tone` · `arm:tone/warm`; names are of `a-z 0-9 . _ -`. */
const EXPERIMENT_SEGMENT = /^experiment:(?<experiment>[^/]+)$/;
const ARM_SEGMENT = /^arm:(?<experiment>[^/]+)\/(?<arm>[^/]+)$/;

/** Fails with `invalid_request` for a segment that there is not. */
export function reportFilter({ model, source, segment }: ReportFilterRequest): ReportFilter {
  return { ...EVERY_CALL, model, source, ...(segment === null ? {} : segmentFilter(segment)) };
}

export function isFiltered({ model, source, segment }: ReportFilterRequest): boolean {
  return model !== null || source !== null || segment !== null;
}

function segmentFilter(segment: string): Partial<ReportFilter> {
  const known = SEGMENTS.get(segment);
  if (known !== undefined) return known;
  const { experiment, arm } = (ARM_SEGMENT.exec(segment) ?? EXPERIMENT_SEGMENT.exec(segment))?.groups ?? {};
  if (experiment !== undefined) return { experiment, arm: arm ?? null };
  throw new AppError(
    'invalid_request',
    `There is no segment ${JSON.stringify(segment.slice(0, 80))}. Known: ${[...SEGMENTS.keys()].join(', ')}, experiment:<name>, arm:<experiment>/<arm>.`,
    { faults: [{ path: 'segment', message: 'is no known segment' }] },
  );
}
