import type { ComponentChildren } from 'preact';
import type { Resource } from '../api/use-resource.ts';
import { ProblemNote } from './problem-note.tsx';

interface ResourceViewProps<T> {
  readonly resource: Resource<T>;
  /** What is on its way, for the line shown meanwhile: `the report`. */
  readonly what: string;
  readonly children: (data: T) => ComponentChildren;
}

/** An answer of the gateway while it loads, when it came, and when it failed: then above what was known before. */
export function ResourceView<T>({ resource, what, children }: ResourceViewProps<T>) {
  const { data, problem, isLoading } = resource;
  return (
    <>
      {problem !== null && <ProblemNote problem={problem} isStale={data !== null} />}
      {isLoading && data === null && (
        <p class="muted" role="status">
          Loading {what}…
        </p>
      )}
      {data !== null && (
        <div class={isLoading ? 'stack outdated' : 'stack'} aria-busy={isLoading}>
          {children(data)}
        </div>
      )}
    </>
  );
}
