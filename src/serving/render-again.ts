import { type ChatMessage, errorCode, seededRandom } from '../kernel/index.ts';
import type { GenerationRecord } from '../ledger/index.ts';
import type { PromptRegistry, PromptVersion } from '../prompts/index.ts';
import { isRedacted } from './redaction.ts';

/**
 * `version_gone` the registry lacks the version · `content_changed` its text is another one now · `redacted` values that
 * were rendered are not kept · `not_recorded` texts are not kept · `render_failed` the values do not fit any more.
 */
export type RenderedMissing =
  | 'version_gone'
  | 'content_changed'
  | 'redacted'
  | 'not_recorded'
  | 'render_failed';

export type RenderedAgain =
  | {
      readonly source: 'recorded' | 'reconstructed';
      readonly messages: readonly ChatMessage[];
      readonly missing: null;
    }
  | { readonly source: null; readonly messages: null; readonly missing: RenderedMissing };

/** Random boundaries of `{{fence}}` are not recorded: those of a reconstruction are always the same. */
const FENCE_SEED = 1;

/** What the model was sent: as recorded, or rendered again from the recorded values with the recorded version. */
export function renderAgain(generation: GenerationRecord, registry: PromptRegistry): RenderedAgain {
  const { prompt, promptVersion, promptHash, variables, profileFeatures } = generation;
  // Written by this gateway from messages of this type.
  const passedThrough = generation.messages as readonly ChatMessage[] | null;
  if (prompt === null || promptVersion === null) {
    return passedThrough === null
      ? missing('not_recorded')
      : { source: 'recorded', messages: passedThrough, missing: null };
  }
  if (variables === null || lacksTurns(generation)) return missing('not_recorded');
  if (isRedacted(variables) || isRedacted(profileFeatures)) return missing('redacted');
  const version = findVersion(registry, prompt, promptVersion);
  if (version === null) return missing('version_gone');
  if (version.hash !== promptHash) return missing('content_changed');
  try {
    const { messages } = version.render({
      variables,
      profile: profileFeatures,
      history: passedThrough ?? [],
      random: seededRandom(FENCE_SEED),
    });
    return { source: 'reconstructed', messages, missing: null };
  } catch (error) {
    if (errorCode(error) === 'internal') throw error;
    return missing('render_failed');
  }
}

/** Earlier turns of a chat are texts: without any text nobody knows whether there were some. */
function lacksTurns({ surface, messages, text }: GenerationRecord): boolean {
  return surface === 'chat' && messages === null && text === null;
}

function missing(reason: RenderedMissing): RenderedAgain {
  return { source: null, messages: null, missing: reason };
}

function findVersion(registry: PromptRegistry, prompt: string, version: string): PromptVersion | null {
  const family = registry.prompts.find(({ name }) => name === prompt);
  return family?.versions.find((candidate) => candidate.version === version) ?? null;
}
