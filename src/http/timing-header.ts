/** `Server-Timing` (W3C) of named durations, with one microsecond of resolution: more digits would only be noise. */
export function timingHeader(durations: readonly (readonly [name: string, durationMs: number])[]): string {
  return durations
    .map(([name, durationMs]) => `${name};dur=${Math.round(durationMs * 1_000) / 1_000}`)
    .join(', ');
}
