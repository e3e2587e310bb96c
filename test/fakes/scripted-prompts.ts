import { AppError, listNames } from '../../src/kernel/index.ts';
import type { OutputCheck, PromptRegistry, PromptStore, PromptVersion } from '../../src/prompts/index.ts';

/** A prompt version that renders `<version> <mood>` as one user message. */
export function scriptedVersion(
  prompt: string,
  version: string,
  changes: Partial<PromptVersion> = {},
): PromptVersion {
  return {
    prompt,
    version,
    hash: `sha256:${prompt}-${version}`,
    file: `${prompt}/${version}.prompt`,
    description: null,
    retired: false,
    locked: true,
    model: null,
    parameters: {},
    inputSchema: null,
    inputDefaults: {},
    outputFormat: 'text',
    outputSchema: null,
    fallbackLines: ['Stretch for a minute.'],
    source: '',
    render: (input) => ({
      messages: [
        ...input.history,
        {
          role: 'user',
          content: [{ kind: 'text', text: `${version} ${String(input.variables['mood'] ?? 'calm')}` }],
        },
      ],
      variables: { mood: 'calm', ...input.variables },
    }),
    checkOutput: (text): OutputCheck => ({ ok: true, value: text }),
    ...changes,
  };
}

/** JSON output that must have a `tip`. */
export function jsonVersion(prompt: string, version: string): PromptVersion {
  return scriptedVersion(prompt, version, {
    outputFormat: 'json',
    outputSchema: { type: 'object', required: ['tip'] },
    checkOutput: (text) => {
      try {
        const value: unknown = JSON.parse(text);
        if (value !== null && typeof value === 'object' && 'tip' in value) return { ok: true, value };
        return { ok: false, faults: [{ path: 'tip', message: 'required' }] };
      } catch {
        return { ok: false, faults: [{ path: '', message: 'not JSON' }] };
      }
    },
  });
}

export function scriptedRegistry(versions: readonly PromptVersion[]): PromptRegistry {
  const names = [...new Set(versions.map((version) => version.prompt))];
  const prompts = names.map((name) => ({
    name,
    versions: versions.filter((version) => version.prompt === name),
  }));
  const registry: PromptRegistry = {
    hash: 'sha256:registry',
    prompts,
    warnings: [],
    family: (name) => {
      const family = prompts.find((candidate) => candidate.name === name);
      if (family === undefined) {
        throw new AppError('prompt_not_found', `no prompt "${name}"; known: ${listNames(names)}`);
      }
      return family;
    },
    version: (name, version) => {
      const found = registry.family(name).versions.find((candidate) => candidate.version === version);
      if (found === undefined) throw new AppError('version_not_found', `no version "${version}"`);
      return found;
    },
  };
  return registry;
}

export function scriptedPrompts(versions: readonly PromptVersion[]): PromptStore {
  const registry = scriptedRegistry(versions);
  return {
    current: () => registry,
    reload: async () => ({ at: '', reloaded: [], unchanged: [], failed: [] }),
    lastReload: () => null,
    watch: () => {},
    close: async () => {},
  };
}
