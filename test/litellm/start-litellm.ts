import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LITELLM_MASTER_KEY = 'sk-litellm-test-0123456789';

const BINARY = fileURLToPath(new URL('../../.cache/litellm/bin/litellm', import.meta.url));

/** The proxy takes 12 to 20 s to start on an idle machine. */
const START_TIMEOUT_MS = 120_000;

export interface LitellmModel {
  /** Name the proxy lists. */
  readonly name: string;
  /** Name it asks the upstream for: selects the stub's behaviour. */
  readonly upstreamModel: string;
  /** Dollars per token; without them LiteLLM knows no price. */
  readonly inputCostPerToken?: number;
  readonly outputCostPerToken?: number;
  /** Seconds after which LiteLLM gives up on the upstream. */
  readonly timeoutSeconds?: number;
}

export interface Litellm {
  /** `http://127.0.0.1:port`, for `LITELLM_BASE_URL`. */
  readonly origin: string;
  readonly masterKey: string;
  close(): Promise<void>;
}

/**
 * Why the real proxy cannot be started here; null when it can. With `REQUIRE_SERVICES=1` its absence is an error
 * instead of a reason to skip.
 */
export function litellmMissing(): string | null {
  if (existsSync(BINARY)) return null;
  const reason = 'LiteLLM is not installed: run test/litellm/install.sh';
  if (process.env['REQUIRE_SERVICES'] === '1') throw new Error(reason);
  return reason;
}

/** A real LiteLLM proxy on a free loopback port, in front of one OpenAI-compatible upstream. */
export async function startLitellm(options: {
  /** Base URL of the upstream, with `/v1`. */
  readonly upstreamUrl: string;
  readonly models: readonly LitellmModel[];
}): Promise<Litellm> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'litellm-test-'));
  const configPath = join(folder, 'config.json');
  // JSON is YAML.
  writeFileSync(configPath, JSON.stringify(litellmConfig(options), null, 2));
  const child = spawn(BINARY, ['--config', configPath, '--host', '127.0.0.1', '--port', String(port)], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: folder,
      // No look-up of prices on the internet, no telemetry.
      LITELLM_LOCAL_MODEL_COST_MAP: 'True',
      LITELLM_TELEMETRY: 'False',
      LITELLM_LOG: 'ERROR',
      NO_PROXY: '127.0.0.1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text: Buffer) => {
      output = `${output}${text.toString('utf8')}`.slice(-4_000);
    });
  }
  const origin = `http://127.0.0.1:${port}`;
  const close = async (): Promise<void> => {
    await stop(child);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await untilAlive(origin, child, () => output);
  } catch (error) {
    await close();
    throw error;
  }
  return { origin, masterKey: LITELLM_MASTER_KEY, close };
}

function litellmConfig(options: Parameters<typeof startLitellm>[0]): object {
  return {
    model_list: options.models.map((model) => ({
      model_name: model.name,
      litellm_params: {
        model: `openai/${model.upstreamModel}`,
        api_base: options.upstreamUrl,
        api_key: 'sk-upstream-test',
        ...(model.timeoutSeconds === undefined ? {} : { timeout: model.timeoutSeconds }),
        ...(model.inputCostPerToken === undefined ? {} : { input_cost_per_token: model.inputCostPerToken }),
        ...(model.outputCostPerToken === undefined
          ? {}
          : { output_cost_per_token: model.outputCostPerToken }),
      },
    })),
    // As docs/providers.md recommends: one layer retries, and that is the gateway.
    litellm_settings: { num_retries: 0, use_chat_completions_url_for_anthropic_messages: true },
    router_settings: { num_retries: 0, disable_cooldowns: true },
    general_settings: { master_key: LITELLM_MASTER_KEY },
  };
}

async function untilAlive(origin: string, child: ChildProcess, output: () => string): Promise<void> {
  const untilMs = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < untilMs) {
    if (child.exitCode !== null) throw new Error(`LiteLLM ended at start:\n${output()}`);
    try {
      const response = await fetch(`${origin}/health/liveliness`);
      if (response.ok) return;
    } catch {
      // Not listening yet.
    }
    await new Promise<void>((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(`LiteLLM did not start within ${START_TIMEOUT_MS} ms:\n${output()}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const patience = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await ended;
  clearTimeout(patience);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address !== 'object') throw new Error('no free port');
  return address.port;
}
