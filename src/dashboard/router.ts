import { useEffect, useState } from 'preact/hooks';
import type { Query } from './query.ts';

const NAVIGATED = 'gateway:navigated';

export interface Place {
  readonly pathname: string;
  readonly search: string;
}

/** Shows another page without loading the document again. */
export function navigate(href: string): void {
  history.pushState(null, '', href);
  dispatchEvent(new Event(NAVIGATED));
}

/** Where the reader is; redraws when that changes. */
export function usePlace(): Place {
  const [place, setPlace] = useState(readPlace);
  useEffect(() => {
    const update = (): void => {
      const next = readPlace();
      setPlace((last) => (last.pathname === next.pathname && last.search === next.search ? last : next));
    };
    addEventListener('popstate', update);
    addEventListener(NAVIGATED, update);
    return () => {
      removeEventListener('popstate', update);
      removeEventListener(NAVIGATED, update);
    };
  }, []);
  return place;
}

/**
 * The filters of a page, which live in its address: a link shows the same to somebody else, and the way back undoes
 * them. An empty value leaves the address.
 */
export function useQuery(): readonly [query: Query, change: (changes: Query) => void] {
  const { search } = usePlace();
  const query = Object.fromEntries(new URLSearchParams(search));
  return [query, changeQuery];
}

function changeQuery(changes: Query): void {
  const parameters = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === '') parameters.delete(name);
    else parameters.set(name, value);
  }
  const text = parameters.toString();
  const href = `${location.pathname}${text === '' ? '' : `?${text}`}`;
  if (href !== `${location.pathname}${location.search}`) navigate(href);
}

function readPlace(): Place {
  return { pathname: location.pathname, search: location.search };
}
