import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { compileEntry } from './compile-entry.ts';
import type { FakeUpstream } from './fake-upstream.ts';
import { ROOT } from './root.ts';
import { startServer } from './server-process.ts';
import {
  chatCalls,
  firstRequestOf,
  GATEWAY_SHAPE,
  GENERATE_BODY,
  generateCalls,
  OPENAI_SHAPE,
  type Target,
  type TargetName,
} from './target.ts';

const LITELLM = join(ROOT, '.cache/litellm/bin/litellm');
const PORTKEY = join(ROOT, '.cache/peers/portkey/node_modules/@portkey-ai/gateway/build/start-server.js');
/** It refuses to start without one. */
const LITELLM_KEY = 'sk-litellm-bench-0123456789';
/** LiteLLM takes 10 to 20 s on an idle machine. */
const LITELLM_START_TIMEOUT_MS = 120_000;

/** Targets whose programs are there; `bench/peers/install.sh` installs the others. */
export function isInstalled(name: TargetName): boolean {
  if (name === 'litellm') return existsSync(LITELLM);
  if (name === 'portkey') return existsSync(PORTKEY);
  return true;
}

/** @param folder is empty and goes with the measurement. */
export function startTarget(
  name: TargetName,
  upstream: FakeUpstream,
  folder: string,
  nodeArguments: readonly string[] = [],
): Promise<Target> {
  switch (name) {
    case 'fake':
      return Promise.resolve({
        name,
        title: 'fake directly',
        logs: '–',
        server: upstream,
        calls: chatCalls(),
      });
    case 'reference':
      return startReference(upstream);
    case 'gateway':
      return startBenchGateway(upstream, { name, folder, nodeArguments });
    case 'gateway-info':
      return startBenchGateway(upstream, { name, folder, logLevel: 'info' });
    case 'portkey':
      return startPortkey(upstream);
    case 'litellm':
      return startLitellm(upstream, folder);
    default: {
      const never: never = name;
      throw new Error(`no target ${String(never)}`);
    }
  }
}

async function startReference(upstream: FakeUpstream): Promise<Target> {
  const calls = generateCalls('/generate', GENERATE_BODY, OPENAI_SHAPE);
  const server = await startServer({
    name: 'reference',
    command: process.execPath,
    args: [compileEntry('reference.ts')],
    environment: { OPENAI_BASE_URL: `${upstream.url}/v1` },
    firstRequest: firstRequestOf(calls.whole),
  });
  const title = `reference: Express ${packageVersion('express')} + openai ${packageVersion('openai')}`;
  return { name: 'reference', title, logs: 'no', server, calls };
}

export interface BenchGatewayOptions {
  readonly name: 'gateway' | 'gateway-info';
  /** Holds the database. */
  readonly folder: string;
  readonly logLevel?: string;
  /** Instead of the shipped configuration. */
  readonly configPath?: string;
  readonly nodeArguments?: readonly string[];
}

export function databaseFileIn(folder: string): string {
  return join(folder, 'bench.db');
}

/** The compiled gateway as shipped, with a database of its own. */
export async function startBenchGateway(
  upstream: FakeUpstream,
  options: BenchGatewayOptions,
): Promise<Target> {
  const { name, folder, logLevel = 'error', configPath, nodeArguments = [] } = options;
  const calls = generateCalls('/generate', GENERATE_BODY, GATEWAY_SHAPE);
  const server = await startServer({
    name,
    command: process.execPath,
    args: [...nodeArguments, '--enable-source-maps', join(ROOT, 'dist/main.js')],
    folder: ROOT,
    environment: {
      OPENAI_BASE_URL: `${upstream.url}/v1`,
      OPENAI_API_KEY: 'none',
      OPENAI_MODEL: 'fake-model',
      PORT: '0',
      DATABASE_URL: `sqlite:${databaseFileIn(folder)}`,
      LOG_LEVEL: logLevel,
      ...(configPath === undefined ? {} : { GATEWAY_CONFIG: configPath }),
    },
    firstRequest: firstRequestOf(calls.whole),
  });
  const title = name === 'gateway' ? 'gateway' : 'gateway, with a log line per request';
  return { name, title, logs: 'yes, on disk before the answer', server, calls };
}

async function startPortkey(upstream: FakeUpstream): Promise<Target> {
  const port = await freePort();
  const calls = chatCalls({
    authorization: 'Bearer none',
    'x-portkey-provider': 'openai',
    'x-portkey-custom-host': `${upstream.url}/v1`,
  });
  const server = await startServer({
    name: 'portkey',
    command: process.execPath,
    args: [PORTKEY, `--port=${port}`, '--headless'],
    environment: { NODE_ENV: 'production', TRUSTED_CUSTOM_HOSTS: '127.0.0.1' },
    url: `http://127.0.0.1:${port}`,
    firstRequest: firstRequestOf(calls.whole),
  });
  const manifest = join(PORTKEY, '../../package.json');
  return { name: 'portkey', title: `Portkey ${versionIn(manifest)}`, logs: 'no', server, calls };
}

async function startLitellm(upstream: FakeUpstream, folder: string): Promise<Target> {
  const port = await freePort();
  const configPath = join(folder, 'litellm.json');
  const config = {
    model_list: [
      {
        model_name: 'fake-model',
        litellm_params: { model: 'openai/fake-model', api_base: `${upstream.url}/v1`, api_key: 'none' },
      },
    ],
    litellm_settings: { num_retries: 0 },
    router_settings: { num_retries: 0, disable_cooldowns: true },
    general_settings: { master_key: LITELLM_KEY },
  };
  // JSON is YAML.
  writeFileSync(configPath, JSON.stringify(config));
  const calls = chatCalls({ authorization: `Bearer ${LITELLM_KEY}` });
  const server = await startServer({
    name: 'litellm',
    command: LITELLM,
    args: ['--config', configPath, '--host', '127.0.0.1', '--port', String(port)],
    folder,
    environment: {
      HOME: folder,
      // No look-up of prices on the internet, no telemetry.
      LITELLM_LOCAL_MODEL_COST_MAP: 'True',
      LITELLM_TELEMETRY: 'False',
      LITELLM_LOG: 'ERROR',
      NO_PROXY: '127.0.0.1',
    },
    url: `http://127.0.0.1:${port}`,
    firstRequest: firstRequestOf(calls.whole),
    startTimeoutMs: LITELLM_START_TIMEOUT_MS,
  });
  const version = /litellm\[proxy\]==([\d.]+)|version=([\d.]+)/.exec(
    readFileSync(join(ROOT, 'test/litellm/install.sh'), 'utf8'),
  );
  const title = `LiteLLM ${version?.[1] ?? version?.[2] ?? ''}, 1 worker`;
  return { name: 'litellm', title, logs: 'no', server, calls };
}

function packageVersion(name: string): string {
  return versionIn(join(ROOT, 'node_modules', name, 'package.json'));
}

function versionIn(manifest: string): string {
  return String((JSON.parse(readFileSync(manifest, 'utf8')) as { version: unknown }).version);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address !== 'object') throw new Error('no free port');
  return address.port;
}
