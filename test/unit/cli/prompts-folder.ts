import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { type CapturedRun, runCaptured } from './captured-context.ts';

/** A temporary folder with a configuration and prompts in it. */
export interface PromptsFolder {
  readonly path: string;
  readonly config: string;
  /** Writes a file below `prompts/`. */
  write(file: string, text: string): void;
  /** Text of a file below `prompts/`. */
  read(file: string): string;
  /** Runs `prompts …` on it. */
  run(...args: string[]): Promise<CapturedRun>;
  remove(): void;
}

export function createPromptsFolder(config: object = {}): PromptsFolder {
  const path = mkdtempSync(join(tmpdir(), 'gateway-prompts-folder-'));
  const configFile = join(path, 'gateway.config.json');
  const standard = {
    providers: { offline: { kind: 'offline' } },
    routes: { default: { targets: [{ provider: 'offline' }] } },
  };
  mkdirSync(join(path, 'prompts'));
  writeFileSync(configFile, JSON.stringify({ ...standard, ...config }));
  return {
    path,
    config: configFile,
    write: (file, text) => {
      const full = join(path, 'prompts', file);
      mkdirSync(dirname(full), { recursive: true });
      writeFileSync(full, text);
    },
    read: (file) => readFileSync(join(path, 'prompts', file), 'utf8'),
    run: (...args) => runCaptured(['prompts', ...args, '--config', configFile]),
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}
