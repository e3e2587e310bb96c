import { readFileSync } from 'node:fs';

/** One file of `test/fixtures/reference`, whose shape the caller knows. */
export function referenceValues<T>(name: string): T {
  const url = new URL(`../fixtures/reference/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')) as T;
}
