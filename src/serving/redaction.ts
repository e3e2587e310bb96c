const REDACTED = '[redacted]';

/** Replaces configured paths by `[redacted]` before anything reaches a sink. */
export interface Redaction {
  /** A copy of `value` (found below `root` in the path list) with the paths replaced; the value itself when none match. */
  apply<T extends Readonly<Record<string, unknown>>>(root: string, value: T): T;
}

/** Whether something in it was replaced before it was stored. */
export function isRedacted(value: unknown): boolean {
  if (value === REDACTED) return true;
  if (value === null || typeof value !== 'object') return false;
  return Object.values(value).some(isRedacted);
}

/** Paths such as `variables.email` or `metadata.*.phone`; `*` stands for one step, object key or list index. */
export function createRedaction(paths: readonly string[]): Redaction {
  const stepsByRoot = new Map<string, string[][]>();
  for (const path of paths) {
    const [root = '', ...steps] = path.split('.');
    const known = stepsByRoot.get(root);
    if (known === undefined) stepsByRoot.set(root, [steps]);
    else known.push(steps);
  }
  return {
    apply: (root, value) => {
      let result: unknown = value;
      for (const steps of stepsByRoot.get(root) ?? []) result = replaced(result, steps, 0);
      return result as typeof value;
    },
  };
}

/** Copies along the path only; everything beside it is shared with the original. */
function replaced(value: unknown, steps: readonly string[], depth: number): unknown {
  const step = steps[depth];
  if (step === undefined) return value === undefined || value === null ? value : REDACTED;
  if (Array.isArray(value)) {
    return value.map((item: unknown, index) =>
      step === '*' || step === String(index) ? replaced(item, steps, depth + 1) : item,
    );
  }
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      step === '*' || step === key ? replaced(inner, steps, depth + 1) : inner,
    ]),
  );
}
