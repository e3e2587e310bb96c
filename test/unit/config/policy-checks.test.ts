import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { loadConfig, loadEnvironment } from '../../../src/config/index.ts';
import { AppError } from '../../../src/kernel/index.ts';

const NOVELTY = { novelty: { type: 'number', min: 0, max: 1 } };
const MOODS = Array.from({ length: 40 }, (_, index) => `mood-${index}`);

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'gateway-config-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Message of every fault of a policy; empty when it is sound. */
function faultsOf(tips: object): readonly string[] {
  const path = join(directory, 'gateway.config.json');
  const document = {
    providers: { offline: { kind: 'offline' } },
    routes: { default: { targets: [{ provider: 'offline' }] } },
    metrics: {
      completed: { type: 'boolean' },
      seen: { type: 'categorical', values: { yes: 1, no: 1 } },
    },
    policies: { tips: { kind: 'squarecb', features: { candidate: NOVELTY }, ...tips } },
  };
  writeFileSync(path, JSON.stringify(document));
  try {
    loadConfig({ path, environment: loadEnvironment({}) });
    return [];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return error.faults.map((fault) => fault.message);
  }
}

describe('the configuration of a policy', () => {
  test.each([
    ['the smallest one', {}],
    ['an even one without features', { kind: 'uniform', features: {} }],
    ['the square of a number', { interactions: [['novelty', 'novelty']] }],
    [
      'exactly 64 inputs',
      {
        features: {
          candidate: { ...NOVELTY, mood: { type: 'category', values: MOODS } },
          profile: { place: { type: 'category', values: MOODS.slice(0, 11) } },
        },
        interactions: [['novelty', 'place']],
      },
    ],
  ])('accepts %s', (_name, tips) => {
    expect(faultsOf(tips)).toEqual([]);
  });

  test.each([
    [
      'a metric that is not declared',
      { metric: 'complete' },
      'policies.tips.metric: no metric is named "complete" (did you mean "completed"?)',
    ],
    [
      'a metric without a range',
      { metric: 'seen' },
      'policies.tips.metric: metric "seen" has the same reward for every value: there is nothing to learn from it; name another metric',
    ],
    [
      'candidates without features',
      { features: { profile: NOVELTY } },
      'policies.tips.features: names no feature of the candidates: every candidate would look the same; declare one, or use the kind "uniform"',
    ],
    [
      'a name used by two sources',
      { features: { candidate: NOVELTY, context: { novelty: { type: 'boolean' } } } },
      'policies.tips.features.context.novelty: is a feature of "candidate" too: interactions name features without their source, so give one of the two another name',
    ],
    [
      'a range upside down',
      { features: { candidate: { novelty: { type: 'number', min: 1, max: 1 } } } },
      'policies.tips.features.candidate.novelty.min: "min" (1) must be below "max" (1)',
    ],
    [
      'a range beyond measure',
      { features: { candidate: { novelty: { type: 'number', min: -1e308, max: 1e308 } } } },
      'policies.tips.features.candidate.novelty.max: -1e+308 to 1e+308 is too wide a range to be measured',
    ],
    [
      'a default outside of the range',
      { features: { candidate: { novelty: { type: 'number', min: 0, max: 1, default: 2 } } } },
      'policies.tips.features.candidate.novelty.default: 2 is outside of the range 0 to 1',
    ],
    [
      'a category without values',
      { features: { candidate: { ...NOVELTY, mood: { type: 'category', values: [] } } } },
      'policies.tips.features.candidate.mood.values: needs at least one value',
    ],
    [
      'a value listed twice',
      { features: { candidate: { ...NOVELTY, mood: { type: 'category', values: ['calm', 'calm'] } } } },
      'policies.tips.features.candidate.mood.values[1]: "calm" is listed twice',
    ],
    [
      'a default that is no value',
      {
        features: {
          candidate: { ...NOVELTY, mood: { type: 'category', values: ['calm'], default: 'clam' } },
        },
      },
      'policies.tips.features.candidate.mood.default: "clam" is none of the values (did you mean "calm"?)',
    ],
    [
      'an interaction of a feature that is not declared',
      { interactions: [['novelty', 'noveltie']] },
      'policies.tips.interactions[0][1]: no feature is named "noveltie" (did you mean "novelty"?)',
    ],
    [
      'an interaction that cannot change a ranking',
      {
        features: {
          candidate: NOVELTY,
          profile: { busy: { type: 'boolean' } },
          context: { late: { type: 'boolean' } },
        },
        interactions: [['busy', 'late']],
      },
      'policies.tips.interactions[0]: neither "busy" nor "late" belongs to the candidate: their product is the same for all candidates and cannot change a ranking; pair one of them with a feature of "candidate"',
    ],
    [
      'the square of what is its own square',
      { features: { candidate: { short: { type: 'boolean' } } }, interactions: [['short', 'short']] },
      'policies.tips.interactions[0]: "short" times itself is itself: only a number may be paired with itself',
    ],
    [
      'a pair listed twice, in either order',
      {
        features: { candidate: NOVELTY, profile: { busy: { type: 'boolean' } } },
        interactions: [
          ['novelty', 'busy'],
          ['busy', 'novelty'],
        ],
      },
      'policies.tips.interactions[1]: busy × novelty is listed twice',
    ],
    [
      'more inputs than a regression within the process should have',
      {
        features: { candidate: { ...NOVELTY, mood: { type: 'category', values: MOODS } } },
        interactions: [['novelty', 'mood']],
      },
      'policies.tips.features: becomes 82 inputs (1 constant, 41 of features, 40 of interactions), at most 64: take out categories with many values first',
    ],
  ])('refuses %s', (_name, tips, message) => {
    expect(faultsOf(tips)).toEqual([message]);
  });

  test.each([
    ['a floor of nothing', { floor_share: 0 }, 'policies.tips.floor_share'],
    ['a penalty of nothing', { ridge_lambda: 0 }, 'policies.tips.ridge_lambda'],
    ['gamma of an even policy', { kind: 'uniform', gamma_scale: 10 }, 'policies.tips.gamma_scale'],
    [
      'an interaction of three',
      { interactions: [['novelty', 'novelty', 'novelty']] },
      'policies.tips.interactions[0]',
    ],
  ])('refuses %s', (_name, tips, path) => {
    expect(faultsOf(tips)).toEqual([expect.stringContaining(`${path}:`)]);
  });
});
