import type { PromptRegistry, PromptStore } from '../prompts/index.ts';

/** Prompt names become labels only when the registry knows them: a caller cannot grow the series. */
export function createPromptLabels(prompts: Pick<PromptStore, 'current'>) {
  let registry: PromptRegistry | null = null;
  let versionsByPrompt = new Map<string, ReadonlySet<string>>();

  return (prompt: string | null, version: string | null) => {
    const current = prompts.current();
    if (current !== registry) {
      registry = current;
      versionsByPrompt = new Map(
        current.prompts.map((family) => [
          family.name,
          new Set(family.versions.map((entry) => entry.version)),
        ]),
      );
    }
    if (prompt === null) return { prompt: 'none', promptVersion: 'none' };
    const versions = versionsByPrompt.get(prompt);
    if (versions === undefined) return { prompt: 'unknown', promptVersion: 'unknown' };
    return { prompt, promptVersion: version !== null && versions.has(version) ? version : 'unknown' };
  };
}
