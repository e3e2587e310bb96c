import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  startGatewayForTest,
  type TestGateway,
  type TestGatewayOptions,
} from '../helpers/gateway-for-test.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** Of the shipped configuration what tests of the whole gateway leave out, and an experiment: routes reach further then. */
function attackedConfig(): Record<string, unknown> {
  const shipped = JSON.parse(readFileSync(resolve(ROOT, 'gateway.config.json'), 'utf8')) as Record<
    string,
    unknown
  >;
  return {
    policies: shipped['policies'],
    labels: { tip: { live: { experiment: 'tone' } } },
    experiments: {
      tone: {
        prompt: 'tip',
        metric: 'completed',
        arms: { plain: { version: 'v1' }, warm: { version: 'v2' } },
      },
    },
    shadow: { next: { prompt: 'tip', version: 'v3', sample: 1 } },
  };
}

/** One that has keys, and the key that may do everything: whatever an attack leaves behind, it stays let in. */
export interface LockedGateway extends TestGateway {
  readonly key: string;
}

/** {@link startAttackedGateway} with keys: the attackers hold one, which is the worst case. */
export async function startLockedGateway(
  upstreamUrl: string,
  options: TestGatewayOptions = {},
): Promise<LockedGateway> {
  const gateway = await startAttackedGateway(upstreamUrl, options);
  const made = await gateway.post('/keys', { name: 'attacker', scopes: ['admin'] });
  const key = String(made.json.key);
  const headers = { authorization: `Bearer ${key}` };
  return {
    ...gateway,
    key,
    post: (path, body, more = {}) => gateway.post(path, body, { ...headers, ...more }),
  };
}

/** The whole gateway, open, with an experiment, a ranking policy and shadow runs, in front of an upstream. */
export function startAttackedGateway(
  upstreamUrl: string,
  options: TestGatewayOptions = {},
): Promise<TestGateway> {
  return startGatewayForTest({
    ...options,
    config: { ...attackedConfig(), ...options.config },
    environment: { OPENAI_API_KEY: 'sk-attacked', OPENAI_BASE_URL: upstreamUrl, ...options.environment },
  });
}
