import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { ERROR_STATUS } from '../../src/http/error-status.ts';

test('docs/errors.md lists exactly the codes there are, with their statuses', () => {
  const text = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| `(\w+)` \| (\d{3}) \| \S.* \| \S.* \|$/gm)];

  const documented = rows.map(([, code, status]) => [code, Number(status)]);
  expect(documented.sort()).toEqual(Object.entries(ERROR_STATUS).sort());
});
