import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';

import { runCaptured } from './captured-context.ts';

const FIXTURES = resolve(import.meta.dirname, '../../fixtures');

function fixture(name: string): string {
  return resolve(FIXTURES, 'analysis', name);
}

function decision(change: Readonly<Record<string, unknown>> = {}): string {
  const sound = { propensities: [0.5, 0.5], chosen: 0, reward: 1, target: [1, 0] };
  return `${JSON.stringify({ ...sound, ...change })}\n`;
}

describe('what is printed', () => {
  test.each([
    ['off-policy.txt', ['off-policy', fixture('decisions.ndjson')]],
    ['off-policy-tiny.txt', ['off-policy', fixture('ope-tiny.ndjson'), '--switch-tau', '1']],
    ['analyze.txt', ['analyze', fixture('rewards.csv'), '--baseline', 'v1']],
    ['analyze-weighted.txt', ['analyze', fixture('weighted-rewards.csv')]],
    ['plan.txt', ['plan', '--baseline', '0.2', '--lift', '0.15', '--runs', '100']],
  ])('is %s', async (golden, args) => {
    const run = await runCaptured(args);

    expect(run.stdout).toBe(readFileSync(fixture(golden), 'utf8'));
    expect(run.exitCode).toBe(0);
  });

  test.each(['off-policy.txt', 'analyze.txt', 'plan.txt'])('stands in docs/cli.md: %s', (golden) => {
    const page = readFileSync(resolve(import.meta.dirname, '../../../docs/cli.md'), 'utf8');

    expect(page).toContain(readFileSync(fixture(golden), 'utf8').trimEnd());
  });
});

describe('off-policy', () => {
  test('finds the values of another implementation', async () => {
    const { case: reference } = JSON.parse(
      readFileSync(resolve(FIXTURES, 'reference/ope_tiny.json'), 'utf8'),
    );
    const { stdout, stderr } = await runCaptured([
      'off-policy',
      fixture('ope-tiny.ndjson'),
      '--switch-tau',
      '1',
      '--json',
    ]);

    const found = JSON.parse(stdout);
    expect(found.estimators.ips.value).toBeCloseTo(reference.IPS, 9);
    expect(found.estimators.snips.value).toBeCloseTo(reference.SNIPS, 9);
    expect(found.estimators.dm.value).toBeCloseTo(reference.DM, 9);
    expect(found.estimators.dr.value).toBeCloseTo(reference.DR, 9);
    expect(found.estimators.sndr.value).toBeCloseTo(reference.SNDR, 9);
    expect(found.estimators.switch_dr.value).toBeCloseTo(reference.SWITCH_DR_tau1, 9);
    expect(found.effective_sample_size).toBeCloseTo(reference.ess, 9);
    expect(found.max_weight).toBeCloseTo(4, 9);
    expect(found.gate).toMatchObject({ ok: false, reasons: [{ fault: 'small_effective_sample' }] });
    expect(stderr).toBe('');
  });

  test('reads standard input, in whatever pieces it comes', async () => {
    const bytes = readFileSync(fixture('decisions.ndjson'));
    const pieces = Array.from({ length: Math.ceil(bytes.length / 97) }, (_, index) =>
      bytes.subarray(index * 97, (index + 1) * 97),
    );

    const piped = await runCaptured(['off-policy', '-'], {}, pieces);

    expect(piped.stdout).toBe(readFileSync(fixture('off-policy.txt'), 'utf8'));
  });

  test('moves with the reward range: rewards from -1 to 1 are those from 0 to 1, stretched', async () => {
    const rows = readFileSync(fixture('decisions.ndjson'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => ({ ...JSON.parse(line), q_hat: [0.2, 0.3, 0.6] }));
    const stretch = (value: number): number => 2 * value - 1;
    const onUnit = rows.map((row) => JSON.stringify(row)).join('\n');
    const stretched = rows
      .map((row) => ({ ...row, reward: stretch(row.reward), q_hat: row.q_hat.map(stretch) }))
      .map((row) => JSON.stringify(row))
      .join('\n');
    const unit = await runCaptured(['off-policy', '-', '--json'], {}, [onUnit]);
    const wide = await runCaptured(['off-policy', '-', '--json', '--reward-range', '-1,1'], {}, [stretched]);

    const [narrow, broad] = [JSON.parse(unit.stdout), JSON.parse(wide.stdout)];
    expect(narrow.interval.lower).toBeGreaterThan(0);
    expect(broad.interval.lower).toBeCloseTo(2 * narrow.interval.lower - 1, 9);
    expect(broad.interval.upper).toBeCloseTo(2 * narrow.interval.upper - 1, 9);
    for (const name of ['snips', 'dm', 'dr', 'sndr', 'switch_dr'] as const) {
      expect(broad.estimators[name].value).toBeCloseTo(2 * narrow.estimators[name].value - 1, 9);
    }
  });

  test('refuses to conclude where the target uses arms that could not be chosen', async () => {
    const row = decision({ propensities: [1, 0], target: [0.9, 0.1] });

    const { exitCode, stdout } = await runCaptured(['off-policy', '-', '--json'], {}, [row.repeat(500)]);

    expect(exitCode).toBe(0);
    const { gate, share_without_support: share } = JSON.parse(stdout);
    expect(share).toBeCloseTo(0.1, 12);
    expect(gate.ok).toBe(false);
    expect(gate.reasons[0]).toMatchObject({ fault: 'support_missing' });
  });

  test.each([
    ['{"propensities"\n', 'is not JSON: {"propensities"'],
    ['[1]\n', 'expected an object'],
    [decision({ propensities: undefined, propensity: [1] }), 'propensities is missing'],
    [
      decision({ propensities: [0.5, 0.4] }),
      'propensities: expected probabilities that sum to 1, got a sum of 0.9',
    ],
    [
      decision({ propensities: [1.5, -0.5] }),
      'propensities[0]: expected a probability within [0, 1], got 1.5',
    ],
    [
      decision({ propensities: [0, 1] }),
      'propensities[0]: expected at least 1e-12, for this arm was chosen, got 0',
    ],
    [decision({ propensities: [] }), 'propensities: expected a list'],
    [decision({ propensities: ['a', 1] }), 'propensities[0]: expected a number, got "a"'],
    [decision({ target: [1] }), 'target: expected 2 numbers, as many as propensities, got 1'],
    [decision({ chosen: 2 }), 'chosen: expected the index of an arm, 0 to 1, got 2'],
    [decision({ chosen: 0.5 }), 'chosen: expected the index of an arm, 0 to 1, got 0.5'],
    [decision({ reward: 2 }), 'reward: expected a number within [0, 1], got 2 (declare another range'],
    [decision({ reward: null }), 'reward: expected a number, got null'],
    [decision({ q_hat: [0.5, 1.5] }), 'q_hat[1]: expected a number within [0, 1], got 1.5'],
    [decision({ qHat: [0.5, 0.5] }), 'unknown key "qHat" (did you mean "q_hat"?)'],
  ])('refuses %s', async (line, message) => {
    const { exitCode, stdout, stderr } = await runCaptured(['off-policy', '-'], {}, [decision(), line]);

    expect(exitCode).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain('stdin cannot be used: one fault\n');
    expect(stderr).toContain(`  stdin:2  ${message}`);
  });

  test('refuses a reward model that only some lines have', async () => {
    const lines = [decision({ q_hat: [0.5, 0.5] }), decision({ q_hat: null })];

    const { stderr } = await runCaptured(['off-policy', '-'], {}, lines);

    expect(stderr).toContain('stdin:2  q_hat is missing, and the lines before have it');
  });

  test('tells of faulty lines alone, and nothing of an empty log, where all are faulty', async () => {
    const { stderr } = await runCaptured(['off-policy', '-'], {}, [decision({ chosen: 2 })]);

    expect(stderr).toContain('stdin cannot be used: one fault\n');
  });

  test('does not ask for predictions where the weights are what is missing', async () => {
    const log = decision({ propensities: [0.5, 0.5], chosen: 0, target: [0, 1] });

    const { stdout } = await runCaptured(['off-policy', '-'], {}, [log]);

    expect(stdout).toMatch(/SNIPS.*all weights are 0/);
    expect(stdout).toMatch(/DR .*needs q_hat/);
  });

  test('stops at 20 faults', async () => {
    const { stdout } = await runCaptured(['off-policy', '-', '--json'], {}, ['x\n'.repeat(500)]);

    const refusal = JSON.parse(stdout);
    expect(refusal).toMatchObject({ ok: false, code: 'invalid_request' });
    expect(refusal.faults).toHaveLength(20);
  });

  test.each([
    [[], 'stdin:1  no decision: the log is empty'],
    [[Uint8Array.of(0x7b, 0xff, 0x7d)], 'stdin is not UTF-8 text'],
  ])('refuses a log that holds nothing readable', async (input, message) => {
    const { exitCode, stderr } = await runCaptured(['off-policy', '-'], {}, input);

    expect(exitCode).toBe(1);
    expect(stderr).toContain(message);
  });

  test('says which file it cannot read', async () => {
    const { exitCode, stderr } = await runCaptured(['off-policy', fixture('none.ndjson')]);

    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^cannot read .*none\.ndjson: .*ENOENT/);
  });
});

describe('analyze', () => {
  test('corrects the naive mean by the propensities and warns that they vary', async () => {
    const { stdout } = await runCaptured(['analyze', fixture('weighted-rewards.csv'), '--json']);

    const { variants, warnings, rows } = JSON.parse(stdout);
    expect(rows).toBe(600);
    const [old, fresh] = variants;
    expect(old.variant).toBe('old');
    expect(fresh.variant).toBe('new, bold');
    // Both earn 0.45: by the means the new one looks far better, by the weighted means it is not.
    expect(fresh.mean - old.mean).toBeGreaterThan(0.15);
    expect(Math.abs(fresh.ips.mean - old.ips.mean)).toBeLessThan(3 * old.ips.standard_error);
    expect(warnings.map((warning: { code: string }) => warning.code)).toEqual([
      'varying_propensity',
      'varying_propensity',
    ]);
  });

  test('reads any column order, quotes, true and false, and a last line without an end', async () => {
    const text = '\uFEFFid,reward,variant\r\n1,TRUE,"a ""b"""\r\n\r\n2,false,c\n3,1e0,c';

    const { stdout } = await runCaptured(['analyze', '-', '--json'], {}, [text]);

    const { baseline, variants } = JSON.parse(stdout);
    expect(baseline).toBe('a "b"');
    expect(variants).toMatchObject([
      { variant: 'a "b"', n: 1, sum: 1, lift: null },
      { variant: 'c', n: 2, sum: 1, mean: 0.5 },
    ]);
  });

  test.each([
    ['', 'stdin:1  the file is empty'],
    ['variant,reward\n', 'stdin:1  no row below the first line'],
    ['varient,reward\nv1,1\n', 'stdin:1  the first line names no column variant (is "varient" meant?)'],
    ['variant;reward\nv1;1\n', 'stdin:1  the first line names no column variant'],
    ['variant,reward,reward\nv1,1,1\n', 'stdin:1  the column reward is there twice'],
    [
      'variant,reward,propensities\nv1,1,1\n',
      'stdin:1  unknown column "propensities" (did you mean "propensity"?)',
    ],
    ['variant,reward\nv1,1\nv1\n', 'stdin:3  expected 2 fields as in the first line, got 1'],
    ['variant,reward\nv1,1\nv1,5\n', 'stdin:3  reward: expected a number within [0, 1], got 5'],
    ['variant,reward\nv1,1\nv1,0x1\n', 'stdin:3  reward: expected a number, got "0x1"'],
    ['variant,reward\nv1,1\nv1,\n', 'stdin:3  reward is empty: leave the row out'],
    ['variant,reward\n,1\n', 'stdin:2  variant is empty'],
    ['variant,reward,propensity\nv1,1,0\n', 'stdin:2  propensity: expected the probability'],
    ['variant,reward\nv"1,1\n', 'stdin:2  a quote inside an unquoted field'],
    ['variant,reward\n"v"1,1\n', 'stdin:2  text after a closing quote'],
    ['varient,reward\n', 'stdin cannot be used: one fault'],
    ['variant,reward\nv1,1\n"v1,1\n', 'stdin:3  the file ends inside a quoted field'],
  ])('refuses %j', async (text, message) => {
    const { exitCode, stdout, stderr } = await runCaptured(['analyze', '-'], {}, [text]);

    expect(exitCode).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain(message);
  });

  test('refuses a baseline the file does not have, with what it has', async () => {
    const args = ['analyze', '-', '--baseline', 'contrl'];

    const { exitCode, stderr } = await runCaptured(args, {}, ['variant,reward\ncontrol,1\nnew,0\n']);

    expect(exitCode).toBe(1);
    expect(stderr).toBe('The file has no variant "contrl". Did you mean control? It has: control, new.\n');
  });

  test('refuses a column of ids taken for variants', async () => {
    const rows = Array.from({ length: 300 }, (_, id) => `user${id},1\n`).join('');

    const { stderr } = await runCaptured(['analyze', '-'], {}, [`variant,reward\n${rows}`]);

    expect(stderr).toContain('stdin:202  more than 200 variants: is "user200" one?');
  });
});

describe('plan', () => {
  test('needs more outcomes where a bandit starves the loser', async () => {
    const args = ['plan', '--baseline', '0.2', '--lift', '0.3', '--runs', '40', '--json'];

    const even = JSON.parse((await runCaptured(args)).stdout);
    const bandit = JSON.parse((await runCaptured([...args, '--policy', 'thompson'])).stdout);

    expect(bandit.median.outcomes).toBeGreaterThan(even.median.outcomes);
    expect(bandit.lifted_share).toBeGreaterThan(0.7);
    expect(even.lifted_share).toBeCloseTo(0.5, 1);
    expect(bandit).toMatchObject({ floor: 0.05, certain_share: 1, wrong_share: 0, policy: 'thompson' });
    expect(even.at_power.outcomes).toBeGreaterThanOrEqual(even.median.outcomes);
  });

  test('says the same for the same seed, something else for another', async () => {
    const args = ['plan', '--baseline', '0.2', '--lift', '0.3', '--runs', '20', '--json', '--seed'];

    const [first, again, other] = await Promise.all(
      ['1', '1', '2'].map(async (seed) => JSON.parse((await runCaptured([...args, seed])).stdout)),
    );

    expect(again).toEqual(first);
    expect(other.lifted_share).not.toBe(first.lifted_share);
  });

  test('says so when the difference is out of reach', async () => {
    const args = ['plan', '--baseline', '0.2', '--lift', '-0.01', '--runs', '20', '--max-outcomes', '500'];

    const { exitCode, stdout, stderr } = await runCaptured(args);

    expect(exitCode).toBe(0);
    expect(stdout).toContain('half of them are certain by      more than 500 outcomes\n');
    expect(stderr).toContain('simulating experiments: 20 of 20');
  });

  test.each([
    [['--baseline', '0.9', '--lift', '0.2'], 2, '--baseline 0.9 and --lift 0.2 make a mean of 1.1'],
    [['--baseline', '0.9', '--lift', '0'], 2, '--lift 0 is never certain'],
    [['--baseline', '0.2', '--lift', '0.1', '--floor', '0.1'], 2, '--floor belongs to --policy thompson'],
    [
      ['--baseline', '0.2', '--lift', '0.1', '--policy', 'thompson', '--arms', '4', '--floor', '0.3'],
      2,
      '--floor 0.3 is more than 4 arms can all have: at most 0.25.',
    ],
    [['--lift', '0.1'], 2, "required option '--baseline <mean>' not specified"],
    [['--baseline', 'x', '--lift', '0.1'], 2, 'expected a number from 0 to 1.'],
    [['--baseline', '0.2', '--lift', '0.1', '--policy', 'ucb'], 2, 'Allowed choices are fixed, thompson'],
  ])('refuses %j', async (args, code, message) => {
    const { exitCode, stderr } = await runCaptured(['plan', ...args]);

    expect(exitCode).toBe(code);
    expect(stderr).toContain(message);
  });
});
