import { suggestion } from './config-fault.ts';
import type { JsonPath } from './json-document.ts';
import type { GatewayConfig } from './schema.ts';
import type { PathFault } from './schema-fault.ts';

type ShadowConfig = GatewayConfig['shadow'][string];

/** What only a rule of a prompt has: a scoring policy has neither versions nor routes, and costs nothing. */
const OF_PROMPTS = ['prompt', 'version', 'route', 'model', 'only_version', 'timeout_ms'] as const;

/** What the schema of `shadow` cannot say. `routes`, `policies`: names as written; null when nothing is known of them. */
export function shadowFaults(
  config: GatewayConfig,
  routes: readonly string[] | null,
  policies: readonly string[] | null,
): readonly PathFault[] {
  return Object.entries(config.shadow).flatMap(([name, rule]) =>
    rule.policy === undefined
      ? promptFaults(['shadow', name], rule, routes)
      : policyFaults(['shadow', name], rule, rule.policy, policies),
  );
}

function promptFaults(
  path: JsonPath,
  rule: ShadowConfig,
  routes: readonly string[] | null,
): readonly PathFault[] {
  const faults: PathFault[] = [];
  const { prompt, version, route, model, only_version: onlyVersion } = rule;
  if (prompt === undefined) {
    faults.push({ path, message: 'needs "prompt" (or "policy", for a candidate of POST /score)' });
  }
  if (rule.of !== undefined) {
    faults.push({ path: [...path, 'of'], message: 'belongs to a rule with "policy"; this one has none' });
  }
  if (version === undefined && route === undefined && model === undefined) {
    const message = 'needs "version", "route" or "model": without one the candidate is the live call itself';
    faults.push({ path, message });
  }
  if (route !== undefined && routes !== null && !routes.includes(route)) {
    const hint = suggestion(route, routes, 'declared routes');
    faults.push({ path: [...path, 'route'], message: `no route is named "${route}"${hint}` });
  }
  if (version !== undefined && version === onlyVersion && route === undefined && model === undefined) {
    const message = `"version" is "${version}" too: the candidate would be the live call itself`;
    faults.push({ path: [...path, 'only_version'], message });
  }
  return faults;
}

function policyFaults(
  path: JsonPath,
  rule: ShadowConfig,
  policy: string,
  policies: readonly string[] | null,
): readonly PathFault[] {
  const faults: PathFault[] = OF_PROMPTS.filter((key) => rule[key] !== undefined).map((key) => ({
    path: [...path, key],
    message: 'belongs to a rule with "prompt", not to one with "policy"',
  }));
  for (const [key, named] of [
    ['policy', policy],
    ['of', rule.of],
  ] as const) {
    if (named === undefined || policies === null || policies.includes(named)) continue;
    const hint = suggestion(named, policies, 'declared policies');
    faults.push({ path: [...path, key], message: `no policy is named "${named}"${hint}` });
  }
  if (rule.of === policy) {
    faults.push({
      path: [...path, 'of'],
      message: `"policy" is "${policy}" too: there is nothing to compare`,
    });
  }
  return faults;
}
