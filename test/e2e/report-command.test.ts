import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { startGatewayForTest, type TestGateway } from '../helpers/gateway-for-test.ts';
import { type CapturedRun, runCaptured } from '../unit/cli/captured-context.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGatewayForTest({
    config: {
      labels: { tip: { live: { experiment: 'tone' } } },
      experiments: { tone: { prompt: 'tip', arms: { plain: { version: 'v1' }, warm: { version: 'v2' } } } },
    },
  });
  for (let user = 0; user < 12; user += 1) {
    const { json } = await gateway.post('/generate', { prompt_version: '@live', user_id: `u${user}` });
    await gateway.post('/feedback', { generation_id: json.id, metric: 'completed', value: user % 3 === 0 });
  }
});
afterAll(() => gateway.dispose());

const run = (...args: string[]): Promise<CapturedRun> =>
  runCaptured([...args, '--config', join(gateway.directory, 'gateway.config.json')]);

describe('report on the command line', () => {
  test('answers as the gateway that serves the same file', async () => {
    const { json: served } = await gateway.get('/analytics/prompts/tip/versions');

    const { exitCode, stdout } = await run('report', 'tip', '--json');

    expect(exitCode).toBe(0);
    const { generated_at: _then, ...report } = JSON.parse(stdout);
    const { generated_at: _before, ...expected } = served;
    expect(report).toEqual({ ok: true, ...expected });
  });

  test('says the answer first, then shows every version', async () => {
    const { json } = await gateway.get('/analytics/prompts/tip/versions');

    const { stdout } = await run('report');

    expect(stdout.startsWith(json.summary)).toBe(true);
    expect(stdout).toContain('tip, completed');
    expect(stdout).toMatch(/│ v2 +│ +\d+ │ +\d+ │ +0 │ 0\.\d{4} │ 0\.\d{4} to \d\.\d{4} │/);
  });

  test('prints the CSV of the gateway', async () => {
    const { text } = await gateway.get('/analytics/prompts/tip/versions?metric=reaction&format=csv');

    expect((await run('report', 'tip', '--metric', 'reaction', '--csv')).stdout).toBe(text);
  });

  test('reports an experiment as the gateway does', async () => {
    const { json: served } = await gateway.get('/analytics/experiments/tone');

    const shown = await run('report', '--experiment', 'tone');
    const { stdout } = await run('report', '--experiment', 'tone', '--json');

    expect(shown.stdout.startsWith(served.verdict.text)).toBe(true);
    expect(shown.stdout).toMatch(/│ plain +│ v1 +│ 50\.0 % │/);
    const { generated_at: _then, ...report } = JSON.parse(stdout);
    const { generated_at: _before, ...expected } = served;
    expect(report).toEqual({ ok: true, ...expected });
  });

  test('says that a window chosen by the reader promises nothing', async () => {
    const { stdout } = await run('report', 'tip', '--from', '2020-01-01');

    expect(stdout).toContain('from 2020-01-01T00:00:00.000Z to now');
    expect(stdout).toContain('Descriptive: a part of the calls chosen by the reader');
  });

  test('follows the labels of the ledger when it checks experiments', async () => {
    await gateway.put('/prompts/tip/labels/live', { version: 'v2', reason: 'v2 won' });

    const { exitCode, stdout, stderr } = await run('experiments', 'check');

    expect(exitCode).toBe(0);
    expect(stdout).toContain('no label\nok: 1 experiment');
    expect(stderr).toContain('experiments.tone  assigns nobody');
  });

  test.each([
    [['report', 'tap'], 'there is no prompt "tap"'],
    [['report', 'tip', '--metric', 'joy'], 'The metric "joy" is not declared'],
    [['report', 'tip', '--baseline', 'v9'], 'The baseline "v9" is no version'],
    [['report', 'tip', '--from', 'yesterday'], 'from  '],
    [['report', '--experiment', 'tune'], 'no experiment "tune"'],
  ])('%j ends with 1 and says why', async (args, message) => {
    const { exitCode, stdout, stderr } = await run(...args);

    expect(exitCode).toBe(1);
    expect(stdout + stderr).toContain(message);
  });

  test('ends with 2 when its options exclude each other', async () => {
    const { exitCode, stderr } = await run('report', 'tip', '--experiment', 'tone');

    expect(exitCode).toBe(2);
    expect(stderr).toContain('--experiment stands alone');
  });

  test('ends with 78 where there is no database', async () => {
    const { exitCode, stderr } = await runCaptured(['report', '--config', 'gateway.config.json'], {
      DATABASE_URL: 'sqlite:nowhere/gateway.db',
    });

    expect(exitCode).toBe(78);
    expect(stderr).toContain('does not exist: start the gateway once');
  });
});
