import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';

import { generatedFiles } from '../../src/cli/commands/docs-generate.ts';
import { loadConfig, loadEnvironment } from '../../src/config/index.ts';

const read = (path: string): string =>
  readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');

describe('generated documents', () => {
  test.each(generatedFiles())('$path is up to date (npm run docs:generate)', ({ path, text }) => {
    expect(read(path)).toBe(text);
  });
});

describe('gateway.config.json', () => {
  const config: Record<string, unknown> = JSON.parse(read('gateway.config.json'));
  const formats = {
    uri: (text: string) => URL.canParse(text),
    'date-time': (text: string) => !Number.isNaN(Date.parse(text)),
  };
  const validate = new Ajv2020({ formats }).compile(JSON.parse(read('docs/gateway.config.schema.json')));

  test('is valid by its own JSON Schema', () => {
    expect(validate(config) ? [] : validate.errors).toEqual([]);
    expect(config['$schema']).toBe('./docs/gateway.config.schema.json');
  });

  test('the JSON Schema refuses what the loader refuses', () => {
    expect(validate({ ...config, metircs: {} })).toBe(false);
    expect(validate({ ...config, server: { port: '8787' } })).toBe(false);
    expect(validate({ ...config, providers: undefined })).toBe(false);
  });

  test('loads without a warning on a machine without any variable', () => {
    const path = fileURLToPath(new URL('../../gateway.config.json', import.meta.url));

    const { warnings } = loadConfig({ path, environment: loadEnvironment({}) });

    expect(warnings).toEqual([]);
  });
});
