import { systemClock } from '../../src/kernel/index.ts';
import { AnthropicLanguageModel } from '../../src/providers/anthropic/index.ts';
import { OpenAiLanguageModel } from '../../src/providers/openai/index.ts';
import { createTransport, type Transport } from '../../src/providers/transport/index.ts';

export const TEST_API_KEY = 'sk-test-0123456789';

export function transportForTest(options: Partial<Parameters<typeof createTransport>[0]> = {}): Transport {
  return createTransport({
    httpProxy: null,
    httpsProxy: null,
    noProxy: null,
    caFiles: [],
    connectTimeoutMs: 3_000,
    allowLinkLocal: false,
    maxResponseBytes: 8_388_608,
    ...options,
  });
}

interface AdapterOptions {
  readonly kind: 'openai' | 'anthropic';
  /** Without path. */
  readonly origin: string;
  readonly transport: Transport;
  readonly apiKey?: string | null;
}

/** A real adapter on a loopback server. */
export function adapterForTest({ kind, origin, transport, apiKey = TEST_API_KEY }: AdapterOptions) {
  const options = {
    provider: kind,
    apiKey,
    userAgent: 'prompt-gateway/test',
    fetch: transport.fetch,
    clock: systemClock,
  };
  return kind === 'openai'
    ? new OpenAiLanguageModel({ ...options, baseUrl: `${origin}/v1` })
    : new AnthropicLanguageModel({ ...options, baseUrl: origin });
}
