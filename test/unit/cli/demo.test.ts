import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { forEachBounded } from '../../../src/cli/demo/bounded-concurrency.ts';
import { demoReportText, readDemoReport } from '../../../src/cli/demo/demo-report.ts';
import { experimentResult, experimentText, readLook } from '../../../src/cli/demo/experiment-result.ts';
import { createProgressLine } from '../../../src/cli/demo/progress-line.ts';
import { createVersionRecogniser } from '../../../src/cli/demo/recognise-version.ts';
import { startScriptedUpstream } from '../../../src/cli/demo/scripted-upstream.ts';
import { createSimulatedUsers, reactTo, TRUE_PROBABILITIES } from '../../../src/cli/demo/simulated-users.ts';
import { seededRandom, systemClock } from '../../../src/kernel/index.ts';
import { captureText } from './captured-context.ts';

describe('createVersionRecogniser', () => {
  const header = (version: string): string => `---\ndescription: the ${version} of the family\n---\n`;
  const recognise = createVersionRecogniser([
    {
      version: 'v1',
      source: `${header('v1')}{{role "system"}}\nYou give short tips.\n{{role "user"}}\nA gentle tip, please, for {{name}}.`,
    },
    {
      version: 'v2',
      source: `${header('v2')}{{role "system"}}\nYou give short tips.\nName one concrete task to begin with.\n`,
    },
    {
      version: 'v3',
      source: `${header('v3')}{{role "system"}}\nYou give short tips.\nState the exact hour and the duration.\n`,
    },
  ]);

  test.each([
    ['You give short tips.\nA gentle tip, please, for Ada.', 'v1'],
    ['You give short tips.\nName one   concrete task\nto begin with.', 'v2'],
    ['You give short tips.\nState the exact hour and the duration.', 'v3'],
    ['Something else altogether.', null],
    ['You give short tips.', null],
  ])('%j was made by %s', (rendered, version) => {
    expect(recognise(rendered)).toBe(version);
  });
});

describe('startScriptedUpstream', () => {
  test('answers in the shape of OpenAI, with usage, by the version it sees', async () => {
    const upstream = await startScriptedUpstream({
      clock: systemClock,
      random: seededRandom(1),
      recognise: (rendered) => (rendered.includes('concrete') ? 'v3' : 'v1'),
    });
    const ask = async (content: string): Promise<{ status: number; body: Record<string, unknown> }> => {
      const response = await fetch(`${upstream.baseUrl}/chat/completions`, {
        method: 'POST',
        body: JSON.stringify({ model: upstream.model, messages: [{ role: 'system', content }] }),
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    try {
      const plain = await ask('be vague');
      const concrete = await ask('be concrete');
      const unknown = await fetch(`${upstream.baseUrl}/embeddings`);

      expect(plain.status).toBe(200);
      expect(plain.body).toMatchObject({
        object: 'chat.completion',
        choices: [{ finish_reason: 'stop', message: { role: 'assistant' } }],
        usage: { prompt_tokens: 2, completion_tokens: expect.any(Number) },
      });
      expect(JSON.stringify(concrete.body['choices'])).not.toBe(JSON.stringify(plain.body['choices']));
      expect(unknown.status).toBe(404);
    } finally {
      await upstream.close();
    }
  });
});

describe('simulated users', () => {
  test('are the same for the same seed and others for another', () => {
    const users = (seed: number) => createSimulatedUsers(50, seededRandom(seed));

    expect(users(7)).toEqual(users(7));
    expect(users(7)).not.toEqual(users(8));
    expect(new Set(users(7).map(({ id }) => id)).size).toBe(50);
  });

  test.each(Object.entries(TRUE_PROBABILITIES))('react to %s with probability %s', (version, probability) => {
    const random = seededRandom(11);
    const draws = 20_000;
    let completed = 0;
    for (let draw = 0; draw < draws; draw += 1) completed += reactTo(version, random).completed ? 1 : 0;

    // 3.29 standard errors: 99.9 % of seeds stay within.
    const tolerance = 3.29 * Math.sqrt((probability * (1 - probability)) / draws);
    expect(Math.abs(completed / draws - probability)).toBeLessThan(tolerance);
  });

  test('never follow a tip of an unknown version', () => {
    expect(reactTo('v9', seededRandom(1)).completed).toBe(false);
  });
});

describe('forEachBounded', () => {
  test('does everything once and never more than the limit at a time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat()), fc.integer({ min: 1, max: 5 }), async (items, limit) => {
        const seen: number[] = [];
        let running = 0;
        let most = 0;
        await forEachBounded(items, limit, async (item) => {
          running += 1;
          most = Math.max(most, running);
          await Promise.resolve();
          seen.push(item);
          running -= 1;
        });

        expect(seen.toSorted()).toEqual(items.toSorted());
        expect(most).toBeLessThanOrEqual(limit);
      }),
    );
  });

  test('starts nothing more after a failure, and fails with it', async () => {
    const started: number[] = [];
    const work = forEachBounded([1, 2, 3, 4, 5, 6], 2, async (item) => {
      started.push(item);
      await Promise.resolve();
      if (item === 2) throw new Error('no');
    });

    await expect(work).rejects.toThrow('no');
    expect(started.length).toBeLessThan(6);
  });
});

describe('createProgressLine', () => {
  test('rewrites one line on a terminal', () => {
    const { stream, text } = captureText();
    const progress = createProgressLine(Object.assign(stream, { isTTY: true }), 200, 'tips');
    for (let done = 0; done <= 200; done += 1) progress.update(done, '');
    progress.finish();

    expect(text().match(/\r/g)).toHaveLength(101);
    expect(text().match(/\n/g)).toHaveLength(1);
    expect(text()).toContain('100 %');
  });

  test('writes few plain lines elsewhere', () => {
    const { stream, text } = captureText();
    const progress = createProgressLine(stream, 200, 'tips');
    for (let done = 0; done <= 200; done += 1) progress.update(done, '');
    progress.finish();

    expect(text()).not.toContain('\r');
    expect(text().trimEnd().split('\n')).toHaveLength(11);
    expect(text()).toContain('tips: 200 of 200\n');
  });
});

const arm = (name: string, units: number, propensity: number, difference: number | null) => ({
  arm: name,
  propensity,
  units,
  mature: units,
  mean: units === 0 ? null : 0.25,
  lower: 0.1,
  upper: 0.6,
  difference:
    difference === null ? null : { difference, lower: difference - 0.125, upper: difference + 0.125 },
  further: 'fields are left alone',
});
const experimentReport = (state: string, units: number) => ({
  experiment: 'tip-versions',
  policy: 'thompson',
  baseline: 'v1',
  metric: 'completed',
  verdict: { state, text: 'v3 is better than v1 by 0.13 to 0.38; safe to act.', arm: 'v3' },
  sample_ratio: { p_value: 0.7, alarm: false },
  arms: [arm('v1', units, 0.25, null), arm('v3', 3 * units, 0.75, 0.25)],
});

describe('demo experiment', () => {
  const looks = [
    readLook(experimentReport('no_difference_yet', 10)),
    readLook(experimentReport('better', 100)),
  ];
  const result = experimentResult(experimentReport('better', 100), looks);

  test('reads who gets what, and what is certain, at every look', () => {
    expect(looks[0]).toEqual({
      users: 40,
      shares: [
        { arm: 'v1', share: 0.25 },
        { arm: 'v3', share: 0.75 },
      ],
      difference: { arm: 'v3', lower: 0.125, upper: 0.375 },
      verdict: 'no_difference_yet',
    });
  });

  test('prints shares over time, then each arm beside its truth', () => {
    const text = experimentText(result);

    expect(text).toMatch(/ 40 .* 25 % .* 75 % .* \+0\.125 to \+0\.375 .* not certain yet /);
    expect(text).toMatch(/ 400 .* better /);
    expect(text).toMatch(/v1 .* 100 .* 0\.250 .* 0\.100 to 0\.600 .* 0\.200 .* - /);
    expect(text).toMatch(/v3 .* 300 .* 0\.500 .* \+0\.250 \(\+0\.125 to \+0\.375\)/);
  });

  test('refuses a report of another shape instead of printing nonsense', () => {
    expect(() => readLook({ arms: [] })).toThrow();
  });
});

describe('demo report', () => {
  const version = (name: string, mean: number | null, lower: number, upper: number) => ({
    prompt_version: name,
    generations: 100,
    outcomes: 90,
    mean,
    lower,
    upper,
    lift: name === 'v1' ? null : { difference: 0.1, lower: -0.05, upper: 0.25 },
    latency_ms: { p50: 4.25, p95: 9 },
    cost_usd: name === 'v3' ? null : 0.0015,
    further: 'fields are left alone',
  });
  const report = readDemoReport({
    prompt: 'tip',
    metric: 'completed',
    baseline: 'v1',
    summary: 'v3 earns more than v1.',
    versions: [version('v1', 0.22, 0.1, 0.3), version('v3', 0.3, 0.2, 0.4), version('v4', null, 0, 1)],
  });

  test('sets the truth beside each interval', () => {
    expect(
      report.versions.map(({ prompt_version, true_probability, is_inside }) => [
        prompt_version,
        true_probability,
        is_inside,
      ]),
    ).toEqual([
      ['v1', 0.2, true],
      ['v3', 0.5, false],
      ['v4', null, null],
    ]);
  });

  test('prints one row per version, unknown costs as unknown, and what to do for real', () => {
    const text = demoReportText({
      users: 10,
      tips_per_user: 4,
      seed: 7,
      generations: 40,
      outcomes: 40,
      elapsed_ms: 1_234,
      database: null,
      config: null,
      experiment: experimentResult(experimentReport('better', 100), []),
      ...report,
    });

    expect(text).toMatch(/v1 .* 0\.220 .* 0\.100 to 0\.300 .* 0\.200 .* yes .* - .* 4\.3 .* 0\.001500/);
    expect(text).toMatch(/v3 .* no .* \+0\.100 \(-0\.050 to \+0\.250\) .* unknown/);
    expect(text).toContain('v3 earns more than v1.');
    expect(text).toContain('TIP_PROMPT_VERSION=v1,v2,v3');
    expect(text.trimEnd().split('\n').at(-1)).toBe(
      'Verdict after 1.2 s: v3 is better than v1 by 0.13 to 0.38; safe to act.',
    );
  });

  test('refuses a report of another shape instead of printing nonsense', () => {
    expect(() => readDemoReport({ versions: [{ prompt_version: 'v1' }] })).toThrow();
  });
});
