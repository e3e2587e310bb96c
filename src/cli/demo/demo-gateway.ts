import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { type RunningGateway, startGateway } from '../../compose/index.ts';
import { loadConfig, loadEnvironment } from '../../config/index.ts';
import { AppError, seededRandom, silentLogger } from '../../kernel/index.ts';
import type { PromptRegistry } from '../../prompts/index.ts';
import type { CliContext } from '../cli-context.ts';
import { PACKAGE_ROOT } from '../package-root.ts';
import {
  DEMO_EXPERIMENT,
  DEMO_METRIC,
  DEMO_PROMPT,
  type DemoPolicy,
  type DemoSettings,
} from './demo-settings.ts';
import { createVersionRecogniser } from './recognise-version.ts';
import { type ScriptedUpstream, startScriptedUpstream } from './scripted-upstream.ts';
import { TRUE_PROBABILITIES } from './simulated-users.ts';

/** Names the variable that holds the key of the unit hashes: with a key of its own a seed assigns the same users. */
export const UNIT_KEY_VARIABLE = 'DEMO_UNIT_KEY';

/**
 * Least share of an arm while the policy learns. More than the default, so that the worst version goes on being tried and
 * the difference to it can become certain: an arm without users proves nothing.
 */
const FLOOR = 0.1;

export interface DemoGateway {
  readonly url: string;
  readonly databaseFile: string;
  readonly configFile: string;
}

/**
 * The real gateway with the packaged configuration and an experiment, on a database within `folder`, before a scripted
 * model. What it opens it adds to `opened`, to be closed in reverse order.
 */
export async function startDemoGateway(
  settings: Pick<DemoSettings, 'seed' | 'policy'>,
  { clock }: CliContext,
  { folder, opened }: { readonly folder: string; readonly opened: (() => Promise<void>)[] },
): Promise<DemoGateway> {
  const databaseFile = join(folder, 'gateway.db');
  const configFile = join(folder, 'gateway.config.json');
  writeFileSync(
    configFile,
    `${JSON.stringify(demoConfig({ policy: settings.policy, floor: null }), null, 2)}\n`,
  );
  const recogniser = { recognise: (_rendered: string): string | null => null };
  const upstream = await startScriptedUpstream({
    clock,
    random: seededRandom(settings.seed),
    recognise: (rendered) => recogniser.recognise(rendered),
  });
  opened.push(() => upstream.close());
  const environment = demoEnvironment(upstream, databaseFile, settings.seed);
  const loaded = loadConfig({ path: configFile, environment });
  const gateway: RunningGateway = await startGateway({ environment, loaded, logger: silentLogger });
  opened.push(() => gateway.close());
  recogniser.recognise = createVersionRecogniser(sourcesOf(gateway.prompts.current()));
  return { url: gateway.url, databaseFile, configFile };
}

/** The packaged file with an experiment over the demonstrated versions. `floor`: null for that of the demonstration. */
export function demoConfig({
  policy,
  floor,
}: {
  readonly policy: DemoPolicy;
  readonly floor: number | null;
}): Readonly<Record<string, unknown>> {
  const packaged: Record<string, unknown> = JSON.parse(
    readFileSync(join(PACKAGE_ROOT, 'gateway.config.json'), 'utf8'),
  );
  const { prompts, ledger, metrics, providers, routes, default_route } = packaged;
  return {
    // Only what a call needs: an operator's own labels, gates and policies are not to be demonstrated on.
    metrics,
    providers,
    routes,
    default_route,
    labels: { [DEMO_PROMPT]: { live: Object.keys(TRUE_PROBABILITIES)[0] } },
    prompts: { ...asRecord(prompts), directory: join(PACKAGE_ROOT, 'prompts') },
    ledger: { ...asRecord(ledger), unit_hash_key_env: UNIT_KEY_VARIABLE },
    experiments: {
      [DEMO_EXPERIMENT]: {
        prompt: DEMO_PROMPT,
        arms: Object.fromEntries(Object.keys(TRUE_PROBABILITIES).map((version) => [version, { version }])),
        policy:
          policy === 'fixed'
            ? { kind: policy }
            : { kind: policy, update_interval_seconds: 1, floor: floor ?? FLOOR },
        metric: DEMO_METRIC,
      },
    },
  };
}

/** Nothing of the real environment: no key leaves the machine, no proxy stands between, the result is repeatable. */
function demoEnvironment(upstream: ScriptedUpstream, databaseFile: string, seed: number) {
  return loadEnvironment({
    HOST: '127.0.0.1',
    PORT: '0',
    DATABASE_URL: `sqlite:${databaseFile}`,
    LOG_LEVEL: 'error',
    OPENAI_BASE_URL: upstream.baseUrl,
    OPENAI_API_KEY: 'demo',
    OPENAI_MODEL: upstream.model,
    [UNIT_KEY_VARIABLE]: demoUnitKey(seed),
  });
}

export function demoUnitKey(seed: number): string {
  return `demo-${seed}`;
}

function sourcesOf(registry: PromptRegistry) {
  const { versions } = registry.family(DEMO_PROMPT);
  const known = versions.map(({ version }) => version);
  const missing = Object.keys(TRUE_PROBABILITIES).filter((version) => !known.includes(version));
  if (missing.length > 0) {
    throw new AppError(
      'version_not_found',
      `the demonstration needs ${DEMO_PROMPT} ${missing.join(', ')}; there is: ${known.join(', ')}`,
    );
  }
  return versions;
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : {};
}
