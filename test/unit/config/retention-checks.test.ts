import { describe, expect, test } from '@jest/globals';

import { retentionFaults } from '../../../src/config/retention-checks.ts';
import { configSchema } from '../../../src/config/schema.ts';

function faultsOf(rowsDays: number | null, windowHours: number): readonly string[] {
  const config = configSchema.parse({
    providers: {},
    routes: {},
    metrics: { completed: { type: 'boolean', attribution_window_hours: windowHours } },
    ledger: { retention: { rows_days: rowsDays } },
  });
  return retentionFaults(config).map(({ path, message }) => `${path.join('.')} ${message}`);
}

describe('the days that rows are kept', () => {
  test.each([
    [8, 168],
    [400, 8_760],
    [null, 8_760],
  ])('may be %p with an attribution window of %p hours', (rowsDays, windowHours) => {
    expect(faultsOf(rowsDays, windowHours)).toEqual([]);
  });

  test('must not be fewer than outcomes may take', () => {
    expect(faultsOf(7, 168)).toEqual([
      'ledger.retention.rows_days 7 is less than the attribution window of "completed" (168 h) and a day: set it to 8 at least',
    ]);
  });
});
