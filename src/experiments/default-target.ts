import type { DefaultPromptVersion } from '../config/index.ts';
import { AppError } from '../kernel/index.ts';
import type { PromptFamily } from '../prompts/index.ts';
import { resolveWish, type WishParts, wishOf } from './resolve-wish.ts';

/** What calls of a prompt get that name no version. */
export interface DefaultTarget {
  /** What they ask for: `v1`, or `@live`. */
  readonly reference: string;
  readonly source: 'env' | 'default';
  /** Null: an experiment chooses, or such calls fail. */
  readonly version: string | null;
  readonly experiment: string | null;
  /** Why such calls fail; null: they do not. */
  readonly problem: string | null;
}

/** Where calls without a version lead at this moment. */
export function defaultTarget(
  family: PromptFamily,
  environment: DefaultPromptVersion,
  parts: WishParts,
): DefaultTarget {
  const request = { bodyValue: null, environment };
  const { value: reference, source: wished } = wishOf(family.name, request);
  const source = wished === 'env' ? 'env' : 'default';
  try {
    const wish = resolveWish(family, request, parts);
    return {
      reference,
      source,
      version: wish.kind === 'version' ? wish.version.version : null,
      experiment: wish.kind === 'experiment' ? wish.experiment.name : null,
      problem: null,
    };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { reference, source, version: null, experiment: null, problem: error.message };
  }
}
