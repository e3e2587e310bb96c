import { createDispatcher, type DispatcherOptions } from './dispatcher.ts';
import { createThinFetch, type ThinFetch } from './thin-fetch.ts';

/** A connection pool and the `fetch` over it. */
export interface Transport {
  readonly fetch: ThinFetch;
  /** Closes every connection; calls still running fail. */
  close(): Promise<void>;
}

/** Fails with `config_invalid`, see {@link createDispatcher}. */
export function createTransport(options: DispatcherOptions): Transport {
  const dispatcher = createDispatcher(options);
  return { fetch: createThinFetch(dispatcher), close: () => dispatcher.destroy() };
}
