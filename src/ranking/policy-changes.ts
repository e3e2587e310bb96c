import type { Fault } from '../kernel/index.ts';
import type { ScorePolicy } from './ranking-types.ts';

type Named = Pick<ScorePolicy, 'name'>;

/** What other definitions do to callers, where it is not what one might think. In the order of the file. */
export function policyChanges(next: readonly Named[], current: readonly Named[]): readonly Fault[] {
  const names = new Set(next.map(({ name }) => name));
  const gone = current.flatMap(({ name }) =>
    names.has(name)
      ? []
      : [
          {
            path: `policies.${name}`,
            message: 'is gone: requests that name it are refused (policy_not_found)',
          },
        ],
  );
  const [before] = current;
  const [after] = next;
  if (before === undefined || after === undefined || before.name === after.name) return gone;
  const message = `"${after.name}" is the first one now, before it was "${before.name}": requests that name no policy are ranked by it`;
  return [...gone, { path: 'policies', message }];
}
