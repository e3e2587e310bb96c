const REDACTED = '[redacted]';

/** Replaces configured paths by `[redacted]` before anything reaches a sink. */
export interface Redaction {
  /** A copy of `value` (found below `root` in the path list) with the paths replaced; the value itself when none match. */
  apply<T extends Readonly<Record<string, unknown>>>(root: string, value: T): T;
  /**
   * The texts that `apply` takes out of a value, longest first: an upstream that repeats one in its error must not bring
   * it back. Texts too short to be told from ordinary words are not among them.
   */
  texts(root: string, value: Readonly<Record<string, unknown>>): readonly string[];
}

const LEAST_TEXT_CHARACTERS = 4;

/** `text` with every one of `texts` replaced, also where it stands escaped as in JSON. */
export function withoutTexts(text: string, texts: readonly string[]): string {
  return texts.reduce(
    (cleaned, each) =>
      cleaned.replaceAll(each, REDACTED).replaceAll(JSON.stringify(each).slice(1, -1), REDACTED),
    text,
  );
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
    texts: (root, value) => {
      const found = new Set<string>();
      for (const steps of stepsByRoot.get(root) ?? []) {
        for (const text of textsBelow(value, steps, 0)) {
          if (text.length >= LEAST_TEXT_CHARACTERS) found.add(text);
        }
      }
      // A shorter one may be a part of a longer one, of which the rest would stay.
      return [...found].sort((a, b) => b.length - a.length);
    },
  };
}

function textsBelow(value: unknown, steps: readonly string[], depth: number): readonly string[] {
  if (value === null || value === undefined || typeof value === 'boolean') return [];
  if (typeof value !== 'object') return depth >= steps.length ? [String(value)] : [];
  const step = steps[depth];
  return Object.entries(value).flatMap(([key, inner]) =>
    step === undefined || step === '*' || step === key ? textsBelow(inner, steps, depth + 1) : [],
  );
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
