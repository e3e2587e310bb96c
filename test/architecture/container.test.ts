import { existsSync, readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

import { FIXED_VARIABLES, variablesNamedBy } from '../../src/config/environment-variables.ts';
import { configSchema } from '../../src/config/schema.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Instructions with their arguments on one line, comments gone. */
function instructions(dockerfile: string): readonly (readonly [name: string, rest: string])[] {
  return read(dockerfile)
    .replace(/^#.*\n/gm, '')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line.trim()) ?? [];
      return [name, rest.replace(/\s+/g, ' ')] as const;
    });
}

function argumentsOf(dockerfile: string, name: string): readonly string[] {
  return instructions(dockerfile)
    .filter(([found]) => found === name)
    .map(([, rest]) => rest);
}

const shipped = configSchema.parse(JSON.parse(read('gateway.config.json')));
const KNOWN_VARIABLES = new Set([
  ...FIXED_VARIABLES.map(({ name }) => name),
  ...variablesNamedBy(shipped).map(({ name }) => name),
  'NODE_ENV',
]);

interface Service {
  readonly build: { readonly context: string; readonly dockerfile?: string };
  readonly environment: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly stop_grace_period?: string;
}

const compose = parse(read('deploy/compose.yaml')) as {
  readonly services: Readonly<Record<'gateway' | 'litellm', Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
};

describe.each(['deploy/Dockerfile', 'deploy/litellm/Dockerfile'])('%s', (dockerfile) => {
  test('is based on images with a tag, runs without root, and takes signals itself', () => {
    const bases = [
      ...argumentsOf(dockerfile, 'ARG').flatMap((rest) => rest.replace(/^NODE_IMAGE=/, '')),
      ...argumentsOf(dockerfile, 'FROM').filter((rest) => !rest.startsWith('$')),
    ];

    expect(bases.length).toBeGreaterThan(0);
    for (const base of bases) expect(base).toMatch(/^\w+:\d[\w.-]+$/);
    expect(argumentsOf(dockerfile, 'USER')).toEqual(['1000:1000']);
    expect(argumentsOf(dockerfile, 'STOPSIGNAL')).toEqual(['SIGTERM']);
    expect(argumentsOf(dockerfile, 'ENTRYPOINT')).toEqual([expect.stringMatching(/^\[".*"\]$/)]);
    expect(argumentsOf(dockerfile, 'HEALTHCHECK')).toEqual([expect.stringMatching(/ CMD \[".*"\]$/)]);
  });
});

describe('the image of the gateway', () => {
  const copied = argumentsOf('deploy/Dockerfile', 'COPY')
    .filter((rest) => !rest.startsWith('--from='))
    .flatMap((rest) => rest.split(' ').slice(0, -1));

  test('copies what there is, and nothing else is sent to the builder', () => {
    const sent = read('deploy/Dockerfile.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));

    expect(copied.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    expect([...new Set(copied)].sort()).toEqual([...sent].sort());
    expect(read('deploy/Dockerfile.dockerignore')).toContain('\n*\n');
  });

  test('runs a version of Node that package.json allows, and the command that the build makes', () => {
    const { engines, bin } = JSON.parse(read('package.json')) as {
      readonly engines: { readonly node: string };
      readonly bin: Readonly<Record<string, string>>;
    };
    const major = Number(/node:(\d+)/.exec(argumentsOf('deploy/Dockerfile', 'ARG')[0] ?? '')?.[1]);
    const lowest = Number(/(\d+)/.exec(engines.node)?.[1]);

    expect(major).toBeGreaterThanOrEqual(lowest);
    expect(argumentsOf('deploy/Dockerfile', 'ENTRYPOINT')[0]).toContain(
      `"${normalize(bin['prompt-gateway'] ?? '')}"`,
    );
  });

  test('sets variables that the gateway reads', () => {
    const names = argumentsOf('deploy/Dockerfile', 'ENV').flatMap((rest) =>
      rest.split(' ').map((pair) => pair.split('=')[0] ?? ''),
    );

    expect(names).toContain('DATABASE_URL');
    expect(names.filter((name) => !KNOWN_VARIABLES.has(name))).toEqual([]);
  });
});

describe('compose.yaml', () => {
  const { gateway, litellm } = compose.services;

  test.each(Object.entries(compose.services))(
    'takes every right from %s that it does not need',
    (_name, service) => {
      expect(service.read_only).toBe(true);
      expect(service.cap_drop).toEqual(['ALL']);
      expect(service.security_opt).toEqual(['no-new-privileges:true']);
    },
  );

  test('hands over variables that each side reads, and shows the gateway on loopback only', () => {
    const config = read('deploy/litellm/config.yaml');
    const foreign = Object.keys(litellm.environment).filter((name) => !config.includes(`os.environ/${name}`));

    expect(Object.keys(gateway.environment).filter((name) => !KNOWN_VARIABLES.has(name))).toEqual([]);
    expect(foreign).toEqual([]);
    expect(gateway.ports).toEqual(['127.0.0.1:8787:8787']);
    expect(litellm.ports).toBeUndefined();
  });

  test('names folders and files that there are', () => {
    const contexts = [gateway.build, litellm.build].map(({ context, dockerfile = 'Dockerfile' }) =>
      join('deploy', context, dockerfile),
    );
    const sources = (gateway.volumes ?? []).map((volume) => volume.split(':')[0] ?? '');
    const [volumes, paths] = [
      sources.filter((source) => !source.startsWith('.')),
      sources.filter((source) => source.startsWith('.')),
    ];

    expect(contexts.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    expect(paths.filter((path) => !existsSync(join(ROOT, 'deploy', path)))).toEqual([]);
    expect(volumes).toEqual(Object.keys(compose.volumes));
  });

  test('waits longer for the gateway to stop than the gateway waits for its streams', () => {
    const graceMs = Number(/^(\d+)s$/.exec(gateway.stop_grace_period ?? '')?.[1]) * 1_000;

    expect(graceMs).toBeGreaterThan(shipped.server.drain_delay_ms + shipped.server.drain_timeout_ms);
  });

  test('runs the LiteLLM that the tests run against, which offers a model without a key', () => {
    const tested = /^version=(\S+)$/m.exec(read('test/litellm/install.sh'))?.[1];
    const config = parse(read('deploy/litellm/config.yaml')) as {
      readonly model_list: readonly { readonly model_name: string; readonly litellm_params: object }[];
    };
    const fallback = /:-(\w+)\}/.exec(gateway.environment['LITELLM_MODEL'] ?? '')?.[1];

    expect(read('deploy/litellm/Dockerfile')).toContain(`"litellm[proxy]==${tested}"`);
    expect(config.model_list.find(({ model_name }) => model_name === fallback)).toMatchObject({
      litellm_params: { mock_response: expect.any(String) },
    });
  });
});
