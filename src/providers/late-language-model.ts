import type { LanguageModel, ModelRequest, ModelResult, ModelStreamEvent } from './language-model.ts';
import { ProviderFailure } from './provider-failure.ts';

/**
 * A language model whose code is still being read: the client library of a vendor takes longer to load than the rest of
 * the start, and most gateways use one vendor only. Calls that come first wait for it.
 */
export class LateLanguageModel implements LanguageModel {
  readonly provider: string;
  readonly #loading: Promise<LanguageModel>;
  #loaded: LanguageModel | null = null;

  constructor(provider: string, load: () => Promise<LanguageModel>) {
    this.provider = provider;
    this.#loading = load().then(
      (model) => {
        this.#loaded = model;
        return model;
      },
      (cause) => {
        throw new ProviderFailure('bad_response', 'the client library cannot be loaded', { cause });
      },
    );
    // Every call that waits for it fails with the reason; without a call nobody needs to know.
    this.#loading.catch(() => {});
  }

  async generate(request: ModelRequest, signal: AbortSignal): Promise<ModelResult> {
    return (this.#loaded ?? (await this.#loading)).generate(request, signal);
  }

  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelStreamEvent> {
    return this.#loaded?.stream(request, signal) ?? this.#streamLater(request, signal);
  }

  async *#streamLater(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelStreamEvent> {
    yield* (await this.#loading).stream(request, signal);
  }
}
