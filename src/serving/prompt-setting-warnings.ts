import type { GatewayConfig } from '../config/index.ts';
import { type Fault, listNames, nearestName } from '../kernel/index.ts';
import type { PromptRegistry } from '../prompts/index.ts';

/**
 * Settings that name a prompt or a version which the registry does not have, for a warning at start. No error: prompts
 * come and go while the gateway runs, the configuration does not.
 */
export function promptSettingWarnings(
  registry: PromptRegistry,
  config: Pick<GatewayConfig, 'prompts'>,
): readonly Fault[] {
  const known = registry.prompts.map((family) => family.name);
  const warnings: Fault[] = [];
  const unknownPrompt = (path: string, name: string): void => {
    const nearest = nearestName(name, known);
    const hint = nearest === null ? `known: ${listNames(known)}` : `did you mean "${nearest}"?`;
    warnings.push({ path, message: `there is no prompt "${name}"; ${hint}` });
  };

  if (!known.includes(config.prompts.default)) unknownPrompt('prompts.default', config.prompts.default);
  for (const [name, { baseline }] of Object.entries(config.prompts.settings)) {
    const path = `prompts.settings.${name}`;
    const family = registry.prompts.find((candidate) => candidate.name === name);
    if (family === undefined) {
      unknownPrompt(path, name);
      continue;
    }
    const versions = family.versions.map(({ version }) => version);
    if (baseline === undefined || versions.includes(baseline)) continue;
    warnings.push({
      path: `${path}.baseline`,
      message: `prompt "${name}" has no version "${baseline}", so its report is refused; known: ${listNames(versions)}`,
    });
  }
  return warnings;
}
