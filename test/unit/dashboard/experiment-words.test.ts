import { describe, expect, test } from '@jest/globals';
import {
  gateText,
  pValueText,
  sampleRatioText,
  stateBadge,
  verdictWords,
  weightsExample,
  whatIfChoices,
} from '../../../src/dashboard/experiments/experiment-words.ts';
import { labelMoves } from '../../../src/dashboard/experiments/label-moves.ts';
import { experimentReportSchema } from '../../../src/http/schemas/experiment-schema.ts';
import { gateSchema } from '../../../src/http/schemas/labels-schema.ts';

test('every verdict and every state of the gateway has its own words', () => {
  const verdicts = experimentReportSchema.shape.verdict.shape.state.options;
  const states = experimentReportSchema.shape.state.options;

  expect(new Set(verdicts.map((state) => verdictWords(state)[1])).size).toBe(verdicts.length);
  expect(new Set(states.map((state) => stateBadge(state)[1])).size).toBe(states.length);
});

test('only certainty is shown as settled, and broken evidence as a warning', () => {
  expect(verdictWords('better')[0]).toBe('settled');
  expect(verdictWords('no_difference_yet')[0]).toBe('open');
  expect(verdictWords('assignment_broken')[0]).toBe('warning');
});

test('what the rollout gate said is told with the reason of its override', () => {
  const states = gateSchema.shape.state.options;

  expect(new Set(states.map((state) => gateText({ state, override_reason: null }))).size).toBe(states.length);
  expect(gateText({ state: 'overridden', override_reason: 'an outage' })).toMatch(/overridden: an outage$/);
});

describe('the health of the assignment', () => {
  const ratio = { p_value: 0.4211, alarm_below: 0.001, alarm: false, units: 1_500 };

  test('is told with its numbers', () => {
    const text = sampleRatioText({ unit: 'user_id', sample_ratio: ratio });

    expect(text).toContain('The users arrive in the arms as their chances say');
    expect(text).toContain('p = 0.42 over 1,500 users');
  });

  test('is an alarm when the units are not as many as they should be', () => {
    const alarm = { ...ratio, alarm: true, p_value: 1e-9 };

    expect(sampleRatioText({ unit: 'session_id', sample_ratio: alarm })).toMatch(
      /sessions of the arms are not as many .* < 0\.0001/,
    );
  });

  test('says nothing before there is anybody', () => {
    expect(sampleRatioText({ unit: 'user_id', sample_ratio: { ...ratio, units: 0 } })).toMatch(
      /^No users yet/,
    );
  });

  test('never rounds a small p to 0', () => {
    expect([pValueText(1), pValueText(0.00099), pValueText(1e-12)]).toEqual(['1', '0.00099', '< 0.0001']);
  });
});

describe('other policies to ask about', () => {
  test('are one for each defined arm, the even one and the newest revisions', () => {
    const arms = [
      { arm: 'plain', prompt_version: 'v1' },
      { arm: 'gone', prompt_version: null },
    ];
    const revisions = Array.from({ length: 30 }, (_, index) => ({ policy_revision: `r-${index}` }));

    const values = whatIfChoices(arms, revisions).map(({ value }) => value);

    expect(values.slice(0, 4)).toEqual(['', 'arm:plain', 'uniform', 'revision:r-29']);
    expect(values).toHaveLength(13);
  });
});

test('an example of other weights names arms of the experiment', () => {
  expect(weightsExample([{ arm: 'plain' }, { arm: 'warm' }])).toBe('weights:plain=1,warm=3');
  expect(weightsExample([{ arm: 'plain' }])).toBe('weights:plain=1');
});

describe('moves of labels that end an experiment', () => {
  const report = {
    experiment: 'tone',
    baseline: 'plain',
    verdict: { state: 'better', arm: 'warm' },
    arms: [
      { arm: 'plain', prompt_version: 'v1' },
      { arm: 'warm', prompt_version: 'v2' },
    ],
  };
  const labels = [
    { label: 'live', target: { experiment: 'tone' } },
    { label: 'beta', target: { experiment: 'other' } },
    { label: 'old', target: { version: 'v1' } },
  ];

  test('lead the labels of this experiment to the winner', () => {
    expect(labelMoves(report, labels)).toEqual([{ label: labels[0], version: 'v2', isWinner: true }]);
  });

  test.each([
    ['worse', 'warm'],
    ['no_difference_yet', null],
    ['assignment_broken', 'warm'],
  ])('lead back to the baseline after the verdict %s', (state, arm) => {
    const moves = labelMoves({ ...report, verdict: { state, arm } }, labels);

    expect(moves).toMatchObject([{ version: 'v1', isWinner: false }]);
  });
});
