import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { transformFileSync } from '@swc/core';

import { ROOT } from './root.ts';

/** Inside the project, so that the compiled file finds its packages. */
const FOLDER = join(ROOT, '.cache/bench');

/** A file of `bench/` that imports packages only, as JavaScript: what is measured must not carry a TypeScript loader. */
export function compileEntry(file: string): string {
  const { code } = transformFileSync(join(ROOT, 'bench', file), {
    jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
    module: { type: 'es6' },
  });
  mkdirSync(FOLDER, { recursive: true });
  const path = join(FOLDER, basename(file).replace(/\.ts$/, '.js'));
  writeFileSync(path, code);
  return path;
}
