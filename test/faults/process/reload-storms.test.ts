import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type CompiledGateway, compileGateway } from '../../helpers/compiled-gateway.ts';
import { noteFigure } from '../../helpers/fault-figures.ts';
import { faultFolder, metricOf, until, verifyLedger } from '../../helpers/fault-gateway.ts';
import { type GatewayProcess, type ProcessBench, processBench } from '../../helpers/gateway-process.ts';
import {
  type ScriptedUpstream,
  sendCompletion,
  startScriptedUpstream,
} from '../../helpers/scripted-upstream.ts';

const CALLERS = 8;
const STORM_MS = 3_000;
const WRITE_EVERY_MS = 5;
const SIGNAL_EVERY_MS = 60;

let compiled: CompiledGateway;
let bench: ProcessBench;
let upstream: ScriptedUpstream;

beforeAll(async () => {
  compiled = compileGateway();
  bench = processBench(() => [compiled.entry]);
  // Says what it was told.
  upstream = await startScriptedUpstream(({ body }, response) => {
    const messages = body['messages'] as readonly { readonly content: string }[];
    sendCompletion(response, messages.at(-1)?.content ?? '');
  });
});

afterEach(() => bench.cleanUp());

afterAll(async () => {
  await upstream.close();
  compiled.remove();
});

interface Answer {
  readonly status: number;
  readonly id: string;
  readonly text: string;
  readonly prompt_hash: string;
  readonly arm: string | null;
  readonly propensity: number | null;
}

async function call(url: string, version: string, userId: string): Promise<Answer> {
  const response = await fetch(`${url}/generate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      prompt: 'fault',
      prompt_version: version,
      variables: { text: 'hello' },
      user_id: userId,
    }),
  });
  return { ...((await response.json()) as Omit<Answer, 'status'>), status: response.status };
}

interface Readiness {
  readonly status: string;
  readonly parts: Readonly<
    Record<'config' | 'prompts', { readonly status: string; readonly detail: string }>
  >;
}

async function readiness(url: string): Promise<{ readonly code: number; readonly state: Readiness }> {
  const response = await fetch(`${url}/readyz`);
  return { code: response.status, state: (await response.json()) as Readiness };
}

/** Replaces a file again and again while callers call and SIGHUPs ask for reloads; everything the callers got. */
async function stormOf(
  gateway: GatewayProcess,
  version: string,
  write: (step: number) => Promise<void>,
): Promise<{ readonly answers: readonly Answer[]; readonly readyCodes: readonly number[] }> {
  const url = await gateway.url;
  const endMs = performance.now() + STORM_MS;
  const answers: Answer[] = [];
  const readyCodes: number[] = [];
  const isOver = (): boolean => performance.now() > endMs;
  const callers = Array.from({ length: CALLERS }, async (_, caller) => {
    for (let n = 0; !isOver(); n += 1) answers.push(await call(url, version, `user-${caller}-${n}`));
  });
  const writer = (async () => {
    for (let step = 0; !isOver(); step += 1) {
      await write(step);
      await new Promise((done) => setTimeout(done, WRITE_EVERY_MS));
    }
  })();
  const signals = (async () => {
    while (!isOver()) {
      gateway.child.kill('SIGHUP');
      readyCodes.push((await readiness(url)).code);
      await new Promise((done) => setTimeout(done, SIGNAL_EVERY_MS));
    }
  })();
  await Promise.all([...callers, writer, signals]);
  return { answers, readyCodes };
}

/** By renaming, as editors do, or in place, where a reader may find half of it. */
async function replace(file: string, text: string, inPlace: boolean): Promise<void> {
  if (inPlace) return writeFile(file, text);
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}

describe('a storm of configurations', () => {
  const WEIGHTS = [
    [1, 3],
    [3, 1],
    [1, 1],
  ] as const;

  test('drops no call, and no row mixes two of them', async () => {
    const folder = await faultFolder(
      bench,
      { echo: [upstream.url] },
      { config: { labels: { fault: { live: { experiment: 'tone' } } }, experiments: tone(1, 1) } },
    );
    await writeFile(join(folder, 'prompts/fault/v2.prompt'), promptText('second'));
    const file = join(folder, 'gateway.config.json');
    const shipped = JSON.parse(await readFile(file, 'utf8')) as object;
    const configs = WEIGHTS.map(([a, b]) => JSON.stringify({ ...shipped, experiments: tone(a, b) }));
    const broken = [
      JSON.stringify({ ...shipped, experiments: tone(1, 2) }).slice(0, -20),
      JSON.stringify({ ...shipped, experiments: tone(1, 2), metircs: {} }),
      JSON.stringify({ ...shipped, experiments: tone(1, 2, 'v9') }),
      '',
    ];
    const gateway = bench.start(folder);
    const url = await gateway.url;

    const { answers, readyCodes } = await stormOf(gateway, '@live', (step) => {
      const texts = step % 2 === 0 ? configs : broken;
      return replace(file, texts[(step >> 1) % texts.length] ?? '', step % 5 === 0);
    });

    expect(answers.length).toBeGreaterThan(CALLERS * 10);
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(new Set(readyCodes)).toEqual(new Set([200]));
    const vectorsByHash = new Map<string, Set<string>>();
    for (const { id, arm, propensity } of answers) {
      const row = (await (await fetch(`${url}/generations/${id}`)).json()) as {
        config_hash: string;
        propensities: Record<string, number>;
      };
      expect(row.propensities[arm ?? '']).toBe(propensity);
      const vectors = vectorsByHash.get(row.config_hash) ?? new Set();
      vectors.add(JSON.stringify(row.propensities));
      vectorsByHash.set(row.config_hash, vectors);
    }
    // Several were in force, each of them one of the sound ones, each with its own probabilities.
    expect(vectorsByHash.size).toBeGreaterThan(1);
    noteFigure(
      'config-storm',
      `${answers.length} calls, none failed; ${vectorsByHash.size} configurations served`,
    );
    expect(vectorsByHash.size).toBeLessThanOrEqual(WEIGHTS.length);
    for (const vectors of vectorsByHash.values()) expect(vectors.size).toBe(1);

    await replace(file, configs[0] ?? '', false);
    await reloadUntil(gateway, async () => (await readiness(url)).state.parts.config.status === 'ok');
    await expectPropensities(url, [0.25, 0.75]);
    await replace(file, broken[0] ?? '', false);
    await reloadUntil(gateway, async () => (await readiness(url)).state.parts.config.status === 'degraded');
    expect((await readiness(url)).code).toBe(200);
    expect((await readiness(url)).state.parts.config.detail).toContain('gateway.config.json');
    expect(await metricOf(url, 'gateway_config_last_reload_success')).toBe(0);
    await expectPropensities(url, [0.25, 0.75]);
    gateway.child.kill('SIGTERM');
    expect(await gateway.exit).toEqual({ code: 0, signal: null });
    await replace(file, configs[0] ?? '', false);
    expect(await verifyLedger(compiled, folder)).toMatchObject({ code: 0 });
  }, 60_000);

  function tone(a: number, b: number, second = 'v2') {
    const arms = { first: { version: 'v1', weight: a }, second: { version: second, weight: b } };
    return { tone: { prompt: 'fault', arms } };
  }

  /** New users are assigned by what is in force. */
  async function expectPropensities(url: string, allowed: readonly number[]): Promise<void> {
    for (let n = 0; n < 20; n += 1) {
      const { propensity } = await call(url, '@live', `later-${performance.now()}`);
      expect(allowed).toContain(propensity);
    }
  }
});

describe('a storm of prompts', () => {
  test('drops no call, and every answer comes of one whole text', async () => {
    const folder = await faultFolder(bench, { echo: [upstream.url] });
    const file = join(folder, 'prompts/fault/v1.prompt');
    const texts = ['one', 'two', 'three'].map(promptText);
    const broken = ['---\ninput:\n  schema: [\n---\n{{text}}', promptText('four {{#if}}'), ''];
    const gateway = bench.start(folder);
    const url = await gateway.url;

    const { answers, readyCodes } = await stormOf(gateway, 'v1', (step) => {
      const chosen = step % 2 === 0 ? texts : broken;
      return replace(file, chosen[(step >> 1) % chosen.length] ?? '', step % 5 === 0);
    });

    expect(answers.length).toBeGreaterThan(CALLERS * 10);
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(new Set(readyCodes)).toEqual(new Set([200]));
    const textByHash = new Map<string, Set<string>>();
    for (const { text, prompt_hash } of answers) {
      expect(['hello', 'one hello', 'two hello', 'three hello']).toContain(text);
      textByHash.set(prompt_hash, (textByHash.get(prompt_hash) ?? new Set()).add(text));
    }
    expect(textByHash.size).toBeGreaterThan(1);
    noteFigure('prompt-storm', `${answers.length} calls, none failed; ${textByHash.size} texts served`);
    for (const seen of textByHash.values()) expect(seen.size).toBe(1);

    await replace(file, texts[2] ?? '', false);
    await reloadUntil(gateway, async () => (await call(url, 'v1', 'u')).text === 'three hello');
    expect((await readiness(url)).state.parts.prompts.status).toBe('ok');
    await replace(file, broken[0] ?? '', false);
    await reloadUntil(gateway, async () => (await readiness(url)).state.parts.prompts.status === 'degraded');
    expect((await readiness(url)).code).toBe(200);
    expect(await call(url, 'v1', 'u')).toMatchObject({ status: 200, text: 'three hello' });
  }, 60_000);
});

function promptText(word: string): string {
  return `---\ninput:\n  schema:\n    text: string\n---\n${word} {{text}}\n`;
}

/** One SIGHUP; the watch of the file would do it too, later. */
async function reloadUntil(gateway: GatewayProcess, isSo: () => Promise<boolean>): Promise<void> {
  gateway.child.kill('SIGHUP');
  await until(isSo);
}
