/** Everything the page shows lives below this path. */
const ROOT_PATH = '/admin';

export type PathParameters = Readonly<Record<string, string>>;

/**
 * The parameters of a path that fits a pattern such as `/prompts/:name`, both below {@link ROOT_PATH}; null when it
 * does not fit, also when it is not valid percent-encoding.
 */
export function matchPath(pattern: string, path: string): PathParameters | null {
  const wanted = segments(pattern);
  const given = segments(path);
  if (wanted.length !== given.length) return null;
  const parameters: Record<string, string> = {};
  for (const [index, segment] of wanted.entries()) {
    const text = decode(given[index] ?? '');
    if (text === null) return null;
    if (segment.startsWith(':')) parameters[segment.slice(1)] = text;
    else if (segment !== text) return null;
  }
  return parameters;
}

/** `/admin/prompts/tip` as `/prompts/tip`; null outside the page. */
export function pathBelowRoot(pathname: string): string | null {
  if (pathname === ROOT_PATH || pathname === `${ROOT_PATH}/`) return '/';
  return pathname.startsWith(`${ROOT_PATH}/`) ? pathname.slice(ROOT_PATH.length) : null;
}

/** The address of a page: `pageHref('/prompts/:name', { name: 'tip' })` is `/admin/prompts/tip`. */
export function pageHref(pattern: string, parameters: PathParameters = {}): string {
  const path = segments(pattern).map((segment) =>
    encodeURIComponent(segment.startsWith(':') ? (parameters[segment.slice(1)] ?? '') : segment),
  );
  return [ROOT_PATH, ...path].join('/');
}

function segments(path: string): readonly string[] {
  return path.split('/').filter((segment) => segment !== '');
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
