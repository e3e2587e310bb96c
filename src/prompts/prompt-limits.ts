/** Bounds of a prompt file and of one render. They come from the configuration. */
export interface PromptLimits {
  /** Largest prompt file or partial, in bytes of UTF-8. */
  readonly maxSourceBytes: number;
  /** Most template expressions in one file. */
  readonly maxMustaches: number;
  /** Most loop steps (and partial calls) in one render. */
  readonly maxLoopSteps: number;
  /** Largest text of one render, in bytes of UTF-8. */
  readonly maxOutputBytes: number;
}

/** Blocks within blocks, an else-if chain counting each step: beyond it the parser's own recursion is at risk. */
export const MAX_BLOCK_NESTING = 32;

/** Partials within partials. */
export const MAX_PARTIAL_DEPTH = 8;

/**
 * A version's template with its partials put in place may hold this many times `maxMustaches`: a few partials that
 * each use the next one ten times would otherwise grow without bound.
 */
export const EXPANSION_FACTOR = 8;

/** Text that helpers make may be cut before it is printed: together at most this many times `maxOutputBytes`. */
export const MADE_TEXT_FACTOR = 32;
