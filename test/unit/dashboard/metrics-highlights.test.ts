import { expect, test } from '@jest/globals';
import { targetsOf, uptimeText } from '../../../src/dashboard/health/metrics-highlights.ts';
import { readMetrics } from '../../../src/dashboard/health/metrics-text.ts';

test('a target is shown in the one state that its circuit is in', () => {
  const target = 'provider_route="default",provider="openai",model="gpt"';
  const metrics = readMetrics(`gateway_circuit_state{${target},state="closed"} 0
gateway_circuit_state{${target},state="open"} 1
gateway_target_calls_in_flight{${target}} 2
`);

  expect(targetsOf(metrics)).toEqual([
    { route: 'default', provider: 'openai', model: 'gpt', circuit: 'open', inFlight: 2, queued: null },
  ]);
});

test.each([
  [null, '–'],
  [10_000 - 59, '< 1 min'],
  [10_000 - 60, '1 min'],
  [10_000 - 7_300, '2 h'],
  [10_000 - 3 * 86_400, '3 d'],
])('started at %s: runs for %s', (startedAtSeconds, text) => {
  expect(uptimeText(startedAtSeconds, 10_000_000)).toBe(text);
});
