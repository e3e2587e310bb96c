import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';

import { writeSection } from '../../../bench/harness/document-section.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const folder = temporaryFolder();

afterAll(() => folder.remove());

test('a table takes its place in a document, again and again, and nothing else changes', () => {
  const file = join(folder.path, 'page.md');
  const pageWith = (section: string): string =>
    `# Page\n\n<!-- one -->\n${section}\n<!-- /one -->\n\nThe end, for $& US-$1.\n`;
  writeFileSync(file, pageWith('old'));

  writeSection(file, 'one', 'new: $& $1');
  writeSection(file, 'one', 'newer: $& $1');

  expect(readFileSync(file, 'utf8')).toBe(pageWith('newer: $& $1'));
});

test('a document without the place is refused and stays as it is', () => {
  const file = join(folder.path, 'page.md');
  writeFileSync(file, '# Page\n');

  expect(() => writeSection(file, 'one', 'new')).toThrow('no place <!-- one -->');
  expect(readFileSync(file, 'utf8')).toBe('# Page\n');
});
