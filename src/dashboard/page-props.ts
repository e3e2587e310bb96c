import type { PathParameters } from './match-path.ts';

/** What every page is given: the parameters of its address. */
export interface PageProps {
  readonly parameters: PathParameters;
}
