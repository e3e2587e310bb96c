import type { DefaultPromptVersion } from '../config/index.ts';
import { AppError, type Fault, listNames } from '../kernel/index.ts';
import type { PromptRegistry } from '../prompts/index.ts';
import { resolveWish, type WishParts } from './resolve-wish.ts';

/** Prompts that the default in force would refuse, for a warning at start and after a reload. */
export function defaultVersionWarnings(
  registry: PromptRegistry,
  environment: DefaultPromptVersion,
  parts: WishParts,
): readonly Fault[] {
  const warnings: Fault[] = [];
  for (const name of environment.byPrompt.keys()) {
    if (registry.prompts.some((family) => family.name === name)) continue;
    warnings.push({
      path: 'DEFAULT_PROMPT_VERSION',
      message: `names prompt "${name}", which does not exist; known: ${listNames(registry.prompts.map((family) => family.name))}`,
    });
  }
  for (const family of registry.prompts) {
    try {
      resolveWish(family, { bodyValue: null, environment }, parts);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      warnings.push({ path: `prompts/${family.name}`, message: error.message });
    }
  }
  return warnings;
}
