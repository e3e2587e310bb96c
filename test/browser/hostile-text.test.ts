import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { sendCompletion, sendError, startScriptedUpstream } from '../helpers/scripted-upstream.ts';
import { type DashboardBench, openDashboardBench, shown, type Visit } from './dashboard-bench.ts';
import { describeWithChromium, START_MS } from './describe-with-chromium.ts';
import { EXPERIMENT } from './written-history.ts';

/** Runs as soon as anything parses it as markup; within the 64 characters of a tag. The brackets say where it was stored. */
const markup = (place: string): string => `<img src=x onerror="hasRun=1">[${place}]`;
const LINK = 'javascript:hasRun=1';

const HOSTILE_PROMPT = `---
description: '${markup('description').replaceAll("'", "''")}'
input:
  schema:
    goal: string, ${markup('schema').replaceAll(',', '')}
  default:
    goal: nothing
---
${markup('text')} {{goal}}
`;

describeWithChromium('markup that callers, models and colleagues store', () => {
  let bench: DashboardBench;
  let visit: Visit;
  let generationId: string;
  let failedId: string;

  beforeAll(async () => {
    const upstream = await startScriptedUpstream((call, response) => {
      if (call.body['model'] === 'refuses') sendError(response, 400, markup('refusal'));
      else sendCompletion(response, markup('answer'), { model: markup('model') });
    });
    bench = await openDashboardBench({ upstream, prepare: addHostilePrompt });
    await fill();
    visit = await bench.visit();
  }, START_MS);
  afterAll(async () => {
    await visit?.close();
    await bench?.close();
  });

  async function fill(): Promise<void> {
    const call = {
      prompt: 'hostile',
      prompt_version: '@live',
      variables: { goal: markup('variable') },
      user_id: markup('user'),
      external_id: markup('external'),
      metadata: { [markup('key')]: markup('metadata'), link: LINK },
      tags: [markup('tag')],
    };
    generationId = String((await bench.call('POST', '/generate', call))['id']);
    await bench.call('POST', '/generate', { ...call, model: 'refuses' }).catch(() => {});
    const { generations } = await bench.call('GET', '/generations?status=error');
    failedId = (generations as readonly { readonly id: string }[])[0]?.id ?? 'none';
    await bench.call('POST', '/feedback', {
      generation_id: generationId,
      metric: 'completed',
      value: true,
      outcome_id: markup('outcome'),
      tags: [markup('outcome tag')],
      metadata: { note: markup('outcome metadata') },
    });
    for (const version of ['v2', 'v1']) {
      await bench.call('PUT', '/prompts/hostile/labels/live', { version, reason: markup('move') });
    }
    await bench.call('POST', `/experiments/${EXPERIMENT}/stop`, { reason: markup('stop') });
  }

  /** The text is on the page, letter by letter, and nothing of it became an element or ran. */
  async function expectHarmless(places: readonly string[]): Promise<void> {
    const { page, requested, faults } = visit;
    await page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true");
    const text = await page.evaluate<string>(
      "document.body.innerText + [...document.querySelectorAll('input, textarea')].map(({ value }) => value).join()",
    );
    for (const place of places) expect(text).toContain(`[${place}]`);
    expect(await page.evaluate('globalThis.hasRun ?? null')).toBeNull();
    expect(await page.locator('img[src="x"], [onerror], a[href^="javascript"]').count()).toBe(0);
    expect(requested.filter((address) => /\/x$/.test(address))).toEqual([]);
    expect(faults).toEqual([]);
  }

  test('is text in the list of calls', async () => {
    await visit.open('/generations');
    await expectHarmless(['external', 'answer']);
  });

  test('is text in one call: variables, messages, answer, metadata, tags, outcomes', async () => {
    await visit.open(`/generations/${generationId}`);
    await expectHarmless(['external', 'answer', 'variable', 'text', 'key', 'metadata', 'tag', 'outcome']);
  });

  test('is text in a call that a provider refused', async () => {
    await visit.open(`/generations/${failedId}`);
    await expectHarmless(['refusal', 'variable']);
  });

  test('is text in the overview and on the page of its prompt, with the reasons of moves', async () => {
    await visit.open('');
    await expectHarmless([]);
    await visit.open('/prompts/hostile');
    await expectHarmless(['move']);
  });

  test('is text in the reason of a stopped experiment', async () => {
    await visit.open(`/experiments/${EXPERIMENT}`);
    await expectHarmless(['stop']);
  });

  test('is text in what the address holds', async () => {
    const { page } = visit;
    const text = encodeURIComponent(markup('address'));
    for (const path of [
      `/generations?q=${text}&prompt=${text}&from=${text}&status=${text}`,
      `/generations/${text}`,
      `/prompts/${text}`,
      `/prompts/tip?metric=${text}&version=${text}&model=${text}`,
      `/experiments/${text}?policy=${text}`,
      `/experiments/${EXPERIMENT}?policy=${text}`,
      `/${text}`,
      `#${text}`,
      `/sign-in#${text}`,
    ]) {
      await page.goto(`${bench.url}/admin${path}`);
      await shown(page);
      await expectHarmless([]);
    }
  });

  test('is text in names and reasons of keys', async () => {
    const { text: admin } = await bench.makeKey('ops', ['admin']);
    const { id } = await bench.makeKey(markup('key name'), ['read'], admin);
    await bench.call('POST', `/keys/${id}/revoke`, { reason: markup('revoked') }, admin);
    await visit.signIn(admin);
    await visit.open('/keys');
    await expectHarmless(['revoked']);
    await visit.open('/health');
    await expectHarmless([]);
  });
});

async function addHostilePrompt(folder: string): Promise<void> {
  await mkdir(join(folder, 'prompts/hostile'));
  await writeFile(join(folder, 'prompts/hostile/v1.prompt'), HOSTILE_PROMPT);
  await writeFile(
    join(folder, 'prompts/hostile/v2.prompt'),
    HOSTILE_PROMPT.replace('{{goal}}', 'And {{goal}}'),
  );
  const path = join(folder, 'gateway.config.json');
  const config = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  await writeFile(
    path,
    JSON.stringify({
      ...config,
      labels: { hostile: { live: 'v1', trial: { experiment: EXPERIMENT } } },
      experiments: {
        [EXPERIMENT]: {
          prompt: 'hostile',
          arms: { plain: { version: 'v1' }, other: { version: 'v2' } },
          metric: 'completed',
        },
      },
    }),
  );
}
