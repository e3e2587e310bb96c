import type { Environment, GatewayConfig, ProviderConfig } from '../config/index.ts';
import type { Clock } from '../kernel/index.ts';
import { baseUrlOf } from './describe-providers.ts';
import type { LanguageModel } from './language-model.ts';
import { LateLanguageModel } from './late-language-model.ts';
import { OfflineLanguageModel } from './offline/index.ts';
import { OpenAiLanguageModel } from './openai/index.ts';
import { createTransport, type ThinFetch, type Transport } from './transport/index.ts';

export interface LanguageModelsOptions {
  readonly config: GatewayConfig;
  readonly environment: Environment;
  readonly clock: Clock;
  readonly version: string;
}

/** The adapters of the configured providers, made on first use and shared by the routes. */
export class LanguageModels {
  readonly #options: LanguageModelsOptions;
  readonly #modelByKey = new Map<string, LanguageModel>();
  /** By connect timeout and whether link-local addresses are allowed. Usually there is one. */
  readonly #transportByKey = new Map<string, Transport>();

  constructor(options: LanguageModelsOptions) {
    this.#options = options;
  }

  /** Fails with `config_invalid` for a bad base URL, CA file or proxy address. */
  get(name: string, provider: ProviderConfig, connectMs: number): LanguageModel {
    const key = provider.kind === 'offline' ? name : `${name} ${connectMs}`;
    const known = this.#modelByKey.get(key);
    if (known !== undefined) return known;
    const model = this.#create(name, provider, connectMs);
    this.#modelByKey.set(key, model);
    return model;
  }

  /** Closes every connection; calls still running fail. */
  async close(): Promise<void> {
    await Promise.all([...this.#transportByKey.values()].map((transport) => transport.close()));
  }

  #create(name: string, provider: ProviderConfig, connectMs: number): LanguageModel {
    if (provider.kind === 'offline') return new OfflineLanguageModel(name);
    const { environment, clock, version } = this.#options;
    const options = {
      provider: name,
      baseUrl: baseUrlOf(name, provider, environment),
      apiKey: provider.api_key_env === undefined ? null : environment.secret(provider.api_key_env),
      userAgent: `prompt-gateway/${version}`,
      fetch: this.#fetch(connectMs, provider.allow_link_local),
      clock,
    };
    if (provider.kind === 'openai') return new OpenAiLanguageModel(options);
    return new LateLanguageModel(name, async () => {
      const { AnthropicLanguageModel } = await import('./anthropic/index.ts');
      return new AnthropicLanguageModel(options);
    });
  }

  #fetch(connectMs: number, allowLinkLocal: boolean): ThinFetch {
    const key = `${connectMs} ${allowLinkLocal}`;
    const known = this.#transportByKey.get(key);
    if (known !== undefined) return known.fetch;
    const { config, environment } = this.#options;
    // Lower case first, as curl and undici have it.
    const proxy = (name: string): string | null =>
      environment.secret(name.toLowerCase()) ?? environment.secret(name);
    const trusted = environment.secret('NODE_EXTRA_CA_CERTS');
    const { ca_files: caFiles, max_response_bytes: maxResponseBytes } = config.network;
    const transport = createTransport({
      httpProxy: proxy('HTTP_PROXY'),
      httpsProxy: proxy('HTTPS_PROXY'),
      noProxy: proxy('NO_PROXY'),
      // Naming roots replaces Node's own list, and with it what NODE_EXTRA_CA_CERTS had added.
      caFiles: caFiles.length > 0 && trusted !== null ? [trusted, ...caFiles] : caFiles,
      connectTimeoutMs: connectMs,
      allowLinkLocal,
      maxResponseBytes,
    });
    this.#transportByKey.set(key, transport);
    return transport.fetch;
  }
}
