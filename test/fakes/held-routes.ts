import { AppError } from '../../src/kernel/index.ts';
import type { Route, RouteCall, RouteOutcome, Routes, TargetHealth } from '../../src/providers/index.ts';
import { refused } from './scripted-routes.ts';

export interface HeldCall {
  readonly route: string;
  readonly call: RouteCall;
  readonly streamed: boolean;
  /** Ends the call; a call that was aborted has ended already. */
  answer(outcome: RouteOutcome): void;
}

export interface HeldRoutes extends Routes {
  /** Every call so far, answered or not. */
  readonly calls: HeldCall[];
  readonly targets: TargetHealth[];
}

/** Routes of the given names whose calls hang until the test answers them, or their signal aborts. */
export function heldRoutes(names: readonly string[] = ['default', 'cheap']): HeldRoutes {
  const calls: HeldCall[] = [];
  const targets: TargetHealth[] = [];
  const hold = (route: string, call: RouteCall, streamed: boolean, signal: AbortSignal) =>
    new Promise<RouteOutcome>((resolve) => {
      calls.push({ route, call, streamed, answer: resolve });
      const leave = (): void => resolve(refused(new AppError('client_closed', 'aborted'), { attempts: [] }));
      if (signal.aborted) leave();
      signal.addEventListener('abort', leave, { once: true });
    });
  const routeOf = (name: string): Route => ({
    name,
    targets: [{ provider: 'held', model: 'model-a', weight: 1, order: 1 }],
    generate: (call, signal) => hold(name, call, false, signal),
    stream: async function* (call, signal) {
      yield { kind: 'outcome', outcome: await hold(name, call, true, signal) };
    },
  });
  return {
    calls,
    targets,
    get: (name) => {
      if (!names.includes(name)) throw new AppError('route_not_found', `no route "${name}"`);
      return routeOf(name);
    },
    names: () => names,
    health: () => targets,
    close: async () => {},
  };
}
