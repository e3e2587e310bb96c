import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';

import { readCpuProfile } from '../../../bench/harness/cpu-profile.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const FRAMES = [
  ['(idle)', ''],
  ['(garbage collector)', ''],
  ['stringify', ''],
  ['write', 'node:internal/streams/writable'],
  ['next', 'file:///srv/gateway/node_modules/router/index.js'],
  ['build', 'file:///srv/gateway/node_modules/@scope/client/dist/main.js'],
  ['generate', 'file:///srv/gateway/dist/serving/generate.js'],
] as const;
const STEP_US = 10;
const folder = temporaryFolder();

afterAll(() => folder.remove());

/** A profile of 10 µs between samples, beginning at 1,000 µs. */
function profileOf(samples: readonly number[], name = 'CPU.20260101.000000.1.0.001.cpuprofile'): string {
  const file = join(folder.path, name);
  const profile = {
    startTime: 1_000 - STEP_US,
    nodes: FRAMES.map(([functionName, url], id) => ({ id, callFrame: { functionName, url, lineNumber: 4 } })),
    samples,
    timeDeltas: samples.map(() => STEP_US),
  };
  writeFileSync(file, JSON.stringify(profile));
  return file;
}

describe('a CPU profile', () => {
  test('gives every function and its package the time until the next sample, waiting left out', () => {
    const profile = readCpuProfile(profileOf([0, 1, 2, 3, 4, 4, 5, 6, 0]), { fromUs: 0, toUs: 10_000 });

    expect(profile.busyUs).toBe(7 * STEP_US);
    expect(profile.packages).toEqual([
      { name: 'router', us: 2 * STEP_US },
      ...['garbage collection', 'built-ins of V8', 'node:streams', '@scope/client', 'gateway: serving'].map(
        (name) => ({ name, us: STEP_US }),
      ),
    ]);
    expect(profile.functions).toContainEqual({ name: 'generate serving/generate.js:5', us: STEP_US });
  });

  test('counts only what was sampled in the time that was measured', () => {
    const profile = readCpuProfile(profileOf([6, 6, 4, 4, 6, 6]), { fromUs: 1_020, toUs: 1_040 });

    expect(profile.packages).toEqual([{ name: 'router', us: 2 * STEP_US }]);
  });

  test.each([
    ['CPU.20260101.000000.77.0.001.cpuprofile', 'main'],
    ['CPU.20260101.000000.77.3.001.cpuprofile', 'worker'],
  ])('of %s is one of the thread %s', (name, thread) => {
    expect(readCpuProfile(profileOf([6], name), { fromUs: 0, toUs: 1 }).thread).toBe(thread);
  });
});
