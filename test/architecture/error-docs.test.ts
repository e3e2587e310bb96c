import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { ERROR_STATUS } from '../../src/http/error-status.ts';

test('docs/errors.md lists exactly the codes there are, with their statuses', () => {
  const text = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| `(\w+)` \| (\d{3}) \| \S.* \| \S.* \|$/gm)];

  const documented = rows.map(([, code, status]) => [code, Number(status)]);
  expect(documented.sort()).toEqual(Object.entries(ERROR_STATUS).sort());
});

test('no document names another status beside a code', () => {
  const documents = new URL('../../docs/', import.meta.url);
  const wrong: string[] = [];
  let pairs = 0;
  for (const name of readdirSync(documents).filter((file) => file.endsWith('.md'))) {
    const text = readFileSync(new URL(name, documents), 'utf8');
    for (const [said, status, code = ''] of text.matchAll(/\b(\d{3}) `(\w+)`/g)) {
      const known = new Map(Object.entries(ERROR_STATUS)).get(code);
      if (known === undefined) continue;
      pairs += 1;
      if (known !== Number(status)) wrong.push(`${name}: ${said}`);
    }
  }

  expect(wrong).toEqual([]);
  expect(pairs).toBeGreaterThan(5);
});
