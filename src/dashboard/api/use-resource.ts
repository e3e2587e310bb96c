import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { useApi } from './api-context.ts';
import type { Answer } from './gateway-api.ts';
import { GatewayProblem } from './gateway-problem.ts';

/** Reports change slowly; what a colleague does (labels, stops) shall be seen at once. */
export const REPORT_POLL_MS = 5_000;
export const STATE_POLL_MS = 1_500;

const MAX_REMEMBERED = 50;

export interface Resource<T> {
  /** The last good answer, kept while newer ones load or fail. */
  readonly data: T | null;
  /** Why the last attempt failed; null after a good one. */
  readonly problem: GatewayProblem | null;
  /** No answer to this very path has come yet; `data` may hold that of the path before. */
  readonly isLoading: boolean;
  readonly reload: () => void;
}

interface State<T> {
  readonly path: string | null;
  readonly answer: Answer<T> | null;
  /** What the answer is to; another one while the next loads. */
  readonly answerPath: string | null;
  readonly problem: GatewayProblem | null;
}

const NOTHING = { path: null, answer: null, answerPath: null, problem: null };

interface ResourceOptions {
  /** Time between two readings; 0: it is read once. */
  readonly pollMs: number;
  /** Keep showing what the path before answered until the next answer comes: for filters, where an empty moment would jump. */
  readonly keepsLast?: boolean;
}

/** Answers by path, so that going back shows at once what was there. Cleared with the page. */
const remembered = new Map<string, Answer<unknown>>();

function remember(path: string, answer: Answer<unknown>): void {
  remembered.delete(path);
  remembered.set(path, answer);
  const [oldest] = remembered.keys();
  if (remembered.size > MAX_REMEMBERED && oldest !== undefined) remembered.delete(oldest);
}

/** Nothing of one session may be seen by the next. */
export function forgetResources(): void {
  remembered.clear();
}

/**
 * What the gateway answers to `path`, read again every `pollMs` while somebody looks at the page; 0: only once. An
 * unchanged answer redraws nothing. Path null: nothing is read.
 */
export function useResource<T>(path: string | null, options: ResourceOptions): Resource<T> {
  const { pollMs, keepsLast = false } = options;
  const { api } = useApi();
  const [state, setState] = useState<State<T>>(NOTHING);
  const reloadNow = useRef<() => void>(() => {});

  useEffect(() => {
    if (path === null) return undefined;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isRunning = false;

    const load = async (): Promise<void> => {
      if (isRunning) return;
      isRunning = true;
      clearTimeout(timer);
      try {
        const answer = await api.get<T>(path, abort.signal);
        if (abort.signal.aborted) return;
        remember(path, answer);
        setState((last) => {
          const isSame = last.path === path && last.problem === null && last.answer?.text === answer.text;
          return isSame ? last : { path, answer, answerPath: path, problem: null };
        });
      } catch (error) {
        if (abort.signal.aborted) return;
        if (!(error instanceof GatewayProblem)) throw error;
        setState((last) => ({ ...(last.answerPath === path ? last : NOTHING), path, problem: error }));
      } finally {
        isRunning = false;
        if (!abort.signal.aborted) schedule();
      }
    };
    const schedule = (): void => {
      clearTimeout(timer);
      if (pollMs > 0 && document.visibilityState === 'visible') timer = setTimeout(() => void load(), pollMs);
    };
    const onVisibility = (): void => {
      if (document.visibilityState === 'visible' && pollMs > 0) void load();
      else clearTimeout(timer);
    };

    const known = remembered.get(path);
    // Same path, same shape: only `useResource` of this path puts answers there.
    setState((last) => {
      if (known !== undefined) return { path, answer: known as Answer<T>, answerPath: path, problem: null };
      return { ...(keepsLast ? last : NOTHING), path, problem: null };
    });
    reloadNow.current = () => void load();
    document.addEventListener('visibilitychange', onVisibility);
    void load();
    return () => {
      abort.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onVisibility);
    };
  }, [api, path, pollMs, keepsLast]);

  const reload = useCallback(() => reloadNow.current(), []);
  const isCurrent = state.answerPath === path;
  const answer = isCurrent || keepsLast ? state.answer : null;
  const problem = state.path === path ? state.problem : null;
  return {
    data: answer === null ? null : answer.value,
    problem,
    isLoading: path !== null && !isCurrent && problem === null,
    reload,
  };
}
