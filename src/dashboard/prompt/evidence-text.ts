import type { VersionReport } from '../api/wire-types.ts';

/** How sure the answer is, and what may be done with it. */
export function evidenceText(report: Pick<VersionReport, 'evidence' | 'versions'>): string {
  if (report.evidence === 'descriptive') {
    return 'You chose a window or a part of the calls: good for looking, not for deciding. Clear the filters for intervals that hold however often they are read.';
  }
  const percent = Number(((report.versions[0]?.confidence ?? 0.95) * 100).toFixed(2));
  return `The intervals hold together at ${percent} %, however often you look.`;
}
