/** W3C Trace Context, section 3.2.2: version, trace id, parent id, flags; later versions may append fields. */
const TRACE_PARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/;
const ALL_ZERO = /^0+$/;

/** The trace id of a valid `traceparent`; null for anything else (a new trace begins then). */
export function traceIdOf(traceParent: string | undefined): string | null {
  if (traceParent === undefined || traceParent.length > 512) return null;
  const match = TRACE_PARENT.exec(traceParent);
  const [, version, traceId, parentId, rest] = match ?? [];
  if (version === undefined || traceId === undefined || parentId === undefined) return null;
  if (version === 'ff' || (version === '00' && rest !== undefined)) return null;
  return ALL_ZERO.test(traceId) || ALL_ZERO.test(parentId) ? null : traceId;
}
