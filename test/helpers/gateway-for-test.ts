import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type RunningGateway, startGateway } from '../../src/compose/index.ts';
import { loadConfig, loadEnvironment } from '../../src/config/index.ts';
import { type Clock, type Logger, silentLogger, systemClock } from '../../src/kernel/index.ts';

export interface TestGateway extends RunningGateway {
  /** Folder of configuration and database; gone after `dispose`. */
  readonly directory: string;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<TestAnswer>;
  put(path: string, body: unknown): Promise<TestAnswer>;
  get(path: string): Promise<TestAnswer>;
  dispose(): Promise<void>;
}

export interface TestAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Parsed JSON; null when the answer is not JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any shape
  readonly json: any;
}

export interface TestGatewayOptions {
  /** Added to (and overriding) a configuration with the shipped prompts, metrics, providers and routes. */
  readonly config?: object;
  readonly environment?: Readonly<Record<string, string>>;
  readonly logger?: Logger;
  /** Default: the time of the machine. */
  readonly clock?: Clock;
  /** Keep what an earlier gateway left: its folder. */
  readonly directory?: string;
}

const PROMPTS_DIRECTORY = resolve(import.meta.dirname, '../../prompts');

/** The whole gateway in this process, on a free port, with a database of its own. */
export async function startGatewayForTest(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'prompt-gateway-test-')));
  const configPath = join(directory, 'gateway.config.json');
  await writeFile(configPath, JSON.stringify({ ...testConfig(), ...options.config }));
  const environment = loadEnvironment({ ...options.environment });
  const gateway = await startGateway({
    environment,
    loaded: loadConfig({ path: configPath, environment }),
    logger: options.logger ?? silentLogger,
    clock: options.clock ?? systemClock,
  });
  const call = async (path: string, init: RequestInit): Promise<TestAnswer> => {
    const response = await fetch(gateway.url + path, init);
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: parsed(text) };
  };
  return {
    ...gateway,
    directory,
    post: (path, body, headers = {}) =>
      call(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    put: (path, body) =>
      call(path, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    get: (path) => call(path, {}),
    dispose: async () => {
      await gateway.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function testConfig(): object {
  const openai = {
    kind: 'openai',
    base_url_env: 'OPENAI_BASE_URL',
    api_key_env: 'OPENAI_API_KEY',
    requires_env: ['OPENAI_API_KEY'],
  };
  return {
    server: { port: 0 },
    prompts: {
      directory: PROMPTS_DIRECTORY,
      watch: false,
      settings: { tip: { primary_metric: 'completed' } },
    },
    metrics: {
      completed: { type: 'boolean' },
      reaction: { type: 'categorical', values: { love: 1, like: 0.7, dismiss: 0 } },
    },
    providers: { openai, offline: { kind: 'offline' } },
    routes: {
      default: {
        targets: [
          { provider: 'openai', model: 'scripted-model', order: 1 },
          { provider: 'offline', order: 2 },
        ],
        retries: { backoff_ms: 1, max_backoff_ms: 50 },
      },
      strict: {
        targets: [{ provider: 'openai', model: 'scripted-model' }],
        retries: { attempts_per_target: 1, max_attempts: 1 },
      },
    },
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
