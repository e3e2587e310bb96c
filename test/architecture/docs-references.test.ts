import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const filesBelow = (folder: string, ending: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(ending))
    .map((path) => join(folder, path));

const DOCUMENTS = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...filesBelow('docs', '.md'),
  ...filesBelow('examples', '.md'),
];
/** Files that a text tells its reader to make. */
const TO_BE_MADE = /NNNN_|\/v[4-9]\.prompt$/;

/** The anchor that a heading gets: lower case, punctuation gone, spaces to hyphens. */
function anchorsOf(path: string): string[] {
  return [...read(path).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    (heading ?? '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  );
}

function brokenLinks(document: string): string[] {
  const links = [...read(document).matchAll(/\]\((?!https?:|mailto:)([^)\s#]*)(?:#([^)\s]+))?\)/g)];
  return links.flatMap(([link, path = '', anchor]) => {
    const target = path === '' ? document : normalize(join(dirname(document), path));
    if (!existsSync(join(ROOT, target))) return [link];
    return anchor === undefined || anchorsOf(target).includes(anchor) ? [] : [link];
  });
}

function missingFiles(document: string): string[] {
  const named = [
    ...read(document).matchAll(/`((?:src|test|docs|prompts|migrations|examples|bench)\/[\w./-]+)`/g),
  ];
  return named
    .map(([, path = '']) => path)
    .filter((path) => !TO_BE_MADE.test(path))
    .filter((path) => !existsSync(join(ROOT, path)) && !existsSync(join(ROOT, dirname(document), path)));
}

const scripts: Record<string, string> = JSON.parse(read('package.json')).scripts;
const npmCommands = DOCUMENTS.flatMap((document) =>
  [...read(document).matchAll(/npm run (?:--silent )?([\w:]+)([^`\n|#]*)/g)].map(
    ([command, script = '', rest = '']) => ({ document, command: command.trim(), script, rest }),
  ),
);

describe.each(DOCUMENTS)('%s', (document) => {
  test('links to what is there', () => {
    expect(brokenLinks(document)).toEqual([]);
  });

  test('names files that are there', () => {
    expect(missingFiles(document)).toEqual([]);
  });
});

describe('npm commands in documents', () => {
  test.each(npmCommands)('$document: $command is a script', ({ script }) => {
    expect(Object.keys(scripts)).toContain(script);
  });

  const filtered = npmCommands.filter(
    ({ script, rest }) => script.startsWith('test:') && rest.includes('-- '),
  );

  test('show the promises with tests', () => {
    expect(filtered.length).toBeGreaterThan(3);
  });

  test.each(filtered)('$document: $command runs a test', ({ script, rest }) => {
    const files = filesBelow(join('test', script.slice('test:'.length)), '.test.ts');
    const pattern = /--testPathPatterns (\S+)/.exec(rest)?.[1];
    const name = /-t (?:'([^']+)'|(\S+))/.exec(rest);
    const wanted = name?.[1] ?? name?.[2];

    const found = files
      .filter((path) => pattern === undefined || new RegExp(pattern).test(path))
      .filter((path) => wanted === undefined || read(path).includes(wanted));
    expect(found).not.toEqual([]);
  });
});
