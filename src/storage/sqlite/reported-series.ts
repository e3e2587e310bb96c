import type { ReportFilter } from '../../analytics/index.ts';

/**
 * The series `s` of a prompt that a reader asked for. Test, shadow and replay traffic is never among them. A prompt has
 * few series: the filter costs nothing beside the index on the prompt.
 */
export const REPORTED = `s.prompt = @prompt AND s.test = 0 AND s.shadow = 0 AND s.replay = 0
    AND (@model IS NULL OR s.model = @model)
    AND (@source IS NULL OR s.version_source = @source)
    AND (@forced IS NULL OR s.forced = @forced)
    AND (@degraded IS NULL OR s.degraded = @degraded)
    AND (@experiment IS NULL OR s.experiment = @experiment)
    AND (@arm IS NULL OR s.arm = @arm)`;

/** What {@link REPORTED} binds beside the prompt. Absent: every call. */
export function filterParameters(filter: Partial<ReportFilter> = {}) {
  const {
    model = null,
    source = null,
    forced = null,
    degraded = null,
    experiment = null,
    arm = null,
  } = filter;
  return { model, source, forced: flagOf(forced), degraded: flagOf(degraded), experiment, arm };
}

function flagOf(value: boolean | null): number | null {
  return value === null ? null : Number(value);
}
