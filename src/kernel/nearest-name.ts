/**
 * The known name that is most likely meant, or null when none is close (edit distance, two swapped neighbours
 * counting once, above a third of the length) or several are equally so: `v9` means none of `v1`, `v2`, `v3`. Serves "did you mean" in configuration, prompt and request errors.
 */
export function nearestName(name: string, known: Iterable<string>): string | null {
  let best: string | null = null;
  let bestDistance = Number.POSITIVE_INFINITY;
  let isTied = false;
  for (const candidate of known) {
    const distance = editDistance(normalise(name), normalise(candidate));
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
      isTied = false;
    } else if (distance === bestDistance) {
      isTied = true;
    }
  }
  return best !== null && !isTied && bestDistance <= Math.max(1, Math.floor(name.length / 3)) ? best : null;
}

/** camelCase, kebab-case and snake_case spellings of one name count as equal. */
function normalise(name: string): string {
  return name.replace(/[-_\s]/g, '').toLowerCase();
}

function editDistance(a: string, b: string): number {
  // Names are short by contract; a hostile one must not cost quadratic time.
  if (a.length > 128 || b.length > 128) return Number.POSITIVE_INFINITY;
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  let beforePrevious = previous;
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = isSwap ? (beforePrevious[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      current.push(Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, substitution, swap));
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}

/** `a, b, c and 4 more`: a list for an error message, bounded. */
export function listNames(names: Iterable<string>, limit = 20): string {
  const all = [...names];
  if (all.length === 0) return '(none)';
  const shown = all.slice(0, limit).join(', ');
  return all.length > limit ? `${shown} and ${all.length - limit} more` : shown;
}
