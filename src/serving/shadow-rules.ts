import type { GatewayConfig } from '../config/index.ts';
import {
  AppError,
  canonicalJson,
  type Fault,
  listNames,
  nanoUsdFromUsd,
  nearestName,
  sha256Hex,
} from '../kernel/index.ts';
import type { PromptFamily, PromptRegistry } from '../prompts/index.ts';
import type { PolicyShadowRule, PromptShadowRule, ShadowRule } from './shadow-types.ts';

type ShadowConfig = GatewayConfig['shadow'][string];

/**
 * The configured shadow rules, checked against the prompts in force. Fails with `config_invalid`, all faults at once: a
 * rule names a prompt or a version that does not exist, or a retired one.
 */
export function loadShadowRules(
  config: Pick<GatewayConfig, 'shadow'>,
  registry: PromptRegistry,
): readonly ShadowRule[] {
  const faults = shadowRuleFaults(config, registry);
  if (faults.length > 0) {
    const count = faults.length === 1 ? 'one fault' : `${faults.length} faults`;
    throw new AppError('config_invalid', `the shadow rules cannot be used: ${count}`, { faults });
  }
  return Object.entries(config.shadow).map(([name, written]) =>
    written.policy === undefined ? promptRule(name, written) : policyRule(name, written, written.policy),
  );
}

/** What the rules say about prompts that is not so. */
export function shadowRuleFaults(
  config: Pick<GatewayConfig, 'shadow'>,
  registry: PromptRegistry,
): readonly Fault[] {
  return Object.entries(config.shadow).flatMap(([name, { policy, prompt, ...rule }]) => {
    if (policy !== undefined || prompt === undefined) return [];
    const path = `shadow.${name}`;
    const family = registry.prompts.find((candidate) => candidate.name === prompt);
    if (family === undefined) {
      const known = registry.prompts.map((candidate) => candidate.name);
      return [{ path: `${path}.prompt`, message: `there is no prompt "${prompt}"${hint(prompt, known)}` }];
    }
    return [
      ...versionFaults(`${path}.version`, family, rule.version, false),
      ...versionFaults(`${path}.only_version`, family, rule.only_version, true),
    ];
  });
}

function versionFaults(
  path: string,
  family: PromptFamily,
  version: string | undefined,
  mayBeRetired: boolean,
): readonly Fault[] {
  if (version === undefined) return [];
  const known = family.versions.map((candidate) => candidate.version);
  const found = family.versions.find((candidate) => candidate.version === version);
  if (found === undefined) {
    const message = `prompt "${family.name}" has no version "${version}"${hint(version, known)}`;
    return [{ path, message }];
  }
  if (!found.retired || mayBeRetired) return [];
  const message = `version "${version}" of prompt "${family.name}" is retired: it can never go live; name another one, or take the rule out`;
  return [{ path, message }];
}

function hint(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  return nearest === null ? `; known: ${listNames(known)}` : ` (did you mean "${nearest}"?)`;
}

function promptRule(name: string, written: ShadowConfig): PromptShadowRule {
  const { version = null, route = null, model = null, prompt = '' } = written;
  const compared = {
    prompt,
    version,
    route,
    model,
    onlyVersion: written.only_version ?? null,
    timeoutMs: written.timeout_ms ?? null,
  };
  const changes = Object.entries({ model, route, version }).flatMap(([key, to]) =>
    to === null ? [] : [key],
  );
  return { kind: 'prompt', ...compared, ...limitsOf(name, written, compared), changes: changes.join('+') };
}

function policyRule(name: string, written: ShadowConfig, policy: string): PolicyShadowRule {
  const compared = { policy, of: written.of ?? null };
  return { kind: 'policy', ...compared, ...limitsOf(name, written, compared), changes: 'policy' };
}

function limitsOf(name: string, written: ShadowConfig, compared: object) {
  return {
    name,
    revision: `sha256:${sha256Hex(canonicalJson(compared))}`,
    sample: written.sample,
    maxConcurrency: written.max_concurrency,
    maxQueue: written.max_queue,
    budgetNanoUsdPerDay: nanoUsdFromUsd(written.budget_usd_per_day) ?? 0,
    assumedCostNanoUsd: nanoUsdFromUsd(written.assumed_cost_usd) ?? 0,
  };
}
