import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { configJsonSchemaText, configMarkdown, loadConfig, loadEnvironment } from '../../config/index.ts';
import type { CliContext } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { PACKAGE_ROOT } from '../package-root.ts';
import { writeJson, writeLine } from '../write-output.ts';

export interface DocsGenerateOptions {
  readonly check?: boolean;
  readonly json?: boolean;
}

export interface GeneratedFile {
  /** Relative to the package. */
  readonly path: string;
  readonly text: string;
}

/** Every file of `docs/` that is made from code. */
export function generatedFiles(packageRoot: string = PACKAGE_ROOT): readonly GeneratedFile[] {
  // Without environment variables: the documents say the same on every machine.
  const environment = loadEnvironment({});
  const { config } = loadConfig({ path: join(packageRoot, 'gateway.config.json'), environment });
  return [
    { path: 'docs/config.md', text: configMarkdown(config) },
    { path: 'docs/gateway.config.schema.json', text: configJsonSchemaText() },
  ];
}

/** Writes the generated documents, or with `--check` only says which ones are stale. */
export async function docsGenerate(options: DocsGenerateOptions, context: CliContext): Promise<ExitCode> {
  const stale = generatedFiles().filter(({ path, text }) => currentText(path) !== text);
  if (options.check !== true) {
    for (const { path, text } of stale) {
      mkdirSync(dirname(join(PACKAGE_ROOT, path)), { recursive: true });
      writeFileSync(join(PACKAGE_ROOT, path), text);
    }
  }
  const paths = stale.map(({ path }) => path);
  const isFailed = options.check === true && paths.length > 0;
  if (options.json === true) {
    await writeJson(context.stdout, { ok: !isFailed, [options.check === true ? 'stale' : 'written']: paths });
  } else if (paths.length === 0) {
    await writeLine(context.stdout, 'ok: the generated documents are up to date');
  } else {
    const verb = isFailed ? 'stale (run `npm run docs:generate`)' : 'written';
    for (const path of paths) await writeLine(context.stdout, `${verb}: ${path}`);
  }
  return isFailed ? EXIT.failed : EXIT.ok;
}

function currentText(path: string): string | null {
  try {
    return readFileSync(join(PACKAGE_ROOT, path), 'utf8');
  } catch {
    return null;
  }
}
