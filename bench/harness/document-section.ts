import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/**
 * Writes `text` between the lines `<!-- NAME -->` and `<!-- /NAME -->` of a document, which stays as it is otherwise. A file
 * that is not there is made of the section alone. Fails when a document lacks the markers.
 */
export function writeSection(file: string, name: string, text: string): void {
  const begin = `<!-- ${name} -->`;
  const end = `<!-- /${name} -->`;
  const section = `${begin}\n${text}\n${end}`;
  if (!existsSync(file)) {
    writeFileSync(file, `${section}\n`);
    return;
  }
  const document = readFileSync(file, 'utf8');
  const from = document.indexOf(begin);
  const to = document.indexOf(end);
  if (from === -1 || to < from) throw new Error(`${file} has no place ${begin} … ${end}`);
  writeFileSync(file, document.slice(0, from) + section + document.slice(to + end.length));
}
