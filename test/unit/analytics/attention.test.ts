import { describe, expect, test } from '@jest/globals';
import {
  type Attention,
  type AttentionFacts,
  attentionOf,
  type KeyBudget,
} from '../../../src/analytics/attention.ts';
import type { OverviewPrompt } from '../../../src/analytics/overview-prompt.ts';
import { NO_GATE, type RolloutEvent } from '../../../src/experiments/index.ts';

const SOUND: AttentionFacts = {
  health: {
    ledger: { writable: true, reason: null },
    configFaults: [],
    configNeedsRestart: [],
    promptFaults: [],
    providers: [{ route: 'default', provider: 'openai', model: 'm', circuit: 'closed' }],
  },
  prompts: [],
  warnings: [],
  experiments: [],
  rollouts: [],
  budgets: [],
  orphanOutcomes: 0,
};

function promptOf(given: Partial<OverviewPrompt>): OverviewPrompt {
  return {
    prompt: 'tip',
    serves: { reference: 'v1', source: 'default', version: 'v1', experiment: null, problem: null },
    labels: [],
    experiments: [],
    metric: 'completed',
    optimize: 'max',
    scale: { min: 0, max: 1 },
    baseline: 'v1',
    summary: null,
    versions: [],
    generations: { last24h: 100, last7d: 700 },
    costUsd: { last24h: null, last7d: null },
    errorShare: { last24h: 0, last7d: 0 },
    degradedShare: { last24h: 0, last7d: 0 },
    ...given,
  };
}

function eventOf(given: Partial<RolloutEvent>): RolloutEvent {
  return {
    sequence: 1,
    id: 'rol_1',
    createdAtMs: 0,
    subjectKind: 'label',
    subject: 'tip@live',
    from: 'version v1',
    to: 'version v2',
    revision: null,
    decision: 'refused',
    reason: 'try v2',
    actor: 'local',
    gate: NO_GATE,
    live: [],
    facts: null,
    ...given,
  };
}

const codesOf = (found: readonly Attention[]) => found.map(({ code, severity }) => `${severity} ${code}`);
const attentionFor = (facts: Partial<AttentionFacts>) => attentionOf({ ...SOUND, ...facts });
const budget = (spentNanoUsd: number): KeyBudget => ({
  keyId: 'k1',
  name: 'shop',
  limitNanoUsd: 1_000_000_000,
  spentNanoUsd,
});

describe('what needs attention', () => {
  test('a sound gateway needs none', () => {
    expect(attentionOf({ ...SOUND, prompts: [promptOf({})] })).toEqual([]);
  });

  test('the worst comes first', () => {
    const found = attentionFor({
      orphanOutcomes: 3,
      health: {
        ...SOUND.health,
        configNeedsRestart: ['server.port'],
        promptFaults: [{ path: 'tip/v4.prompt:3', message: 'is broken' }],
        ledger: { writable: false, reason: 'the disk is full' },
      },
    });

    expect(codesOf(found)).toEqual([
      'critical ledger_unhealthy',
      'warning prompts_fault',
      'info config_needs_restart',
      'info orphan_outcomes',
    ]);
    expect(found[0]?.message).toContain('the disk is full');
  });

  test.each([
    [0.04, 100, []],
    [0.05, 19, []],
    [0.05, 20, ['warning error_traffic']],
    [0.49, 20, ['warning error_traffic']],
    [0.5, 20, ['critical error_traffic']],
  ])('a share of %d failed ones of %d calls a day: %j', (share, calls, expected) => {
    const prompt = promptOf({
      generations: { last24h: calls, last7d: calls },
      errorShare: { last24h: share, last7d: share },
    });

    expect(codesOf(attentionFor({ prompts: [prompt] }))).toEqual(expected);
  });

  test('authored lines count apart from failures, and last week alone is no reason', () => {
    const prompt = promptOf({
      errorShare: { last24h: 0, last7d: 0.9 },
      degradedShare: { last24h: 0.2, last7d: 0.2 },
    });

    expect(attentionFor({ prompts: [prompt] })).toEqual([
      expect.objectContaining({ code: 'degraded_traffic', prompt: 'tip', link: '/admin/prompts/tip' }),
    ]);
  });

  test('a default that leads nowhere is critical, in its own words', () => {
    const problem = 'prompt "tip" has no label "@live"';
    const prompt = promptOf({
      serves: { reference: '@live', source: 'env', version: null, experiment: null, problem },
    });

    expect(attentionFor({ prompts: [prompt] })).toEqual([
      expect.objectContaining({
        code: 'default_version_fault',
        severity: 'critical',
        message: expect.stringContaining(problem),
      }),
    ]);
  });

  test('an experiment that is stopped by a guardrail or alarmed leads to its page; one by hand needs nobody', () => {
    const experiment = {
      experiment: 'tone',
      prompt: 'tip',
      revision: 'sha256:a',
      start: null,
      stop: null,
      unit: 'user_id',
      metric: 'completed',
      policy: 'fixed',
      baseline: 'a',
      arms: [],
    } as const;

    const found = attentionFor({
      experiments: [
        { ...experiment, state: 'stopped_by_guardrail', isAlarmed: true },
        { ...experiment, state: 'stopped_by_admin', isAlarmed: false },
        { ...experiment, state: 'running', isAlarmed: false },
      ],
    });

    expect(codesOf(found)).toEqual(['critical sample_ratio_alarm', 'critical guardrail_stop']);
    expect(found[0]).toMatchObject({ experiment: 'tone', link: '/admin/experiments/tone' });
  });

  test('a refused move is news until the subject moves', () => {
    const refused = eventOf({ sequence: 2 });

    expect(codesOf(attentionFor({ rollouts: [refused] }))).toEqual(['warning gate_refused']);
    expect(attentionFor({ rollouts: [eventOf({ sequence: 3, decision: 'allowed' }), refused] })).toEqual([]);
    expect(
      codesOf(
        attentionFor({ rollouts: [eventOf({ subject: 'digest@live', decision: 'allowed' }), refused] }),
      ),
    ).toEqual(['warning gate_refused']);
  });

  test('a closed gate that was passed says why, and where', () => {
    const gate = { ...NO_GATE, state: 'overridden', overrideReason: 'the old one is broken' } as const;
    const found = attentionFor({
      rollouts: [
        eventOf({ decision: 'overridden', gate, subject: 'my tip@live' }),
        eventOf({ decision: 'overridden', gate, subjectKind: 'policy', subject: 'tips' }),
      ],
    });

    expect(found).toMatchObject([
      { code: 'gate_overridden', severity: 'info', prompt: 'my tip', link: '/admin/prompts/my%20tip' },
      { code: 'gate_overridden', prompt: null, experiment: null, link: null },
    ]);
    expect(found[0]?.message).toContain('the old one is broken');
  });

  test.each([
    [899_999_999, []],
    [900_000_000, ['warning budget_spent']],
    [1_000_000_000, ['critical budget_spent']],
  ])('a key that spent %d nano-dollars of a dollar: %j', (spent, expected) => {
    expect(codesOf(attentionFor({ budgets: [budget(spent)] }))).toEqual(expected);
  });

  test('of the report, what is wrong with a version, not how to read its numbers', () => {
    const warning = { prompt: 'tip', promptVersion: 'v1', message: 'v1 was served with 2 contents.' };
    const found = attentionFor({
      warnings: [
        { ...warning, code: 'mixed_content' },
        { ...warning, code: 'forced_traffic' },
        { ...warning, code: 'unknown_version' },
      ],
    });

    expect(codesOf(found)).toEqual(['warning mixed_content', 'warning unknown_version']);
  });

  test('a circuit that is not closed is named with its route', () => {
    const provider = { route: 'default', provider: 'openai', model: 'gpt', circuit: 'half_open' } as const;
    const [found] = attentionFor({ health: { ...SOUND.health, providers: [provider] } });

    expect(found?.message).toBe('openai/gpt of the route default fails: its circuit is half open.');
  });
});
