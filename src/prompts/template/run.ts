import { AppError } from '../../kernel/index.ts';
import type { TemplateOutput } from './message-output.ts';

/** What `this` is at one place of a running template, and how to get out to what surrounds it. */
export interface Scope {
  readonly context: unknown;
  readonly parent: Scope | null;
  readonly loop: LoopFrame | null;
  /** Values of `as |item index|`. */
  readonly params: readonly unknown[];
}

/** `@index` and its like; `parent` is reached by `@../index`. */
export interface LoopFrame {
  readonly index: number;
  readonly key: string | number;
  readonly first: boolean;
  readonly last: boolean;
  readonly parent: LoopFrame | null;
}

/** One render. */
export interface Run {
  readonly root: unknown;
  output: TemplateOutput;
  /** Loop steps and partial calls so far. */
  steps: number;
  readonly maxSteps: number;
  /** UTF-16 units of text that helpers made so far, printed or not. */
  madeUnits: number;
  readonly maxMadeUnits: number;
  /** Boundary of `{{fence}}`: the same for the whole render. */
  boundary(): string;
}

export type Emit = (scope: Scope, run: Run) => void;
export type Evaluate = (scope: Scope, run: Run) => unknown;

/** Where an expression stands, for faults at render. */
export interface Site {
  /** As the author wrote it. */
  readonly written: string;
  /** JSON path of the request (`variables.mood`, `profile_features.x`). */
  readonly requestPath: string;
  /** `prompts/tip/v3.prompt:14:9` */
  readonly place: string;
  readonly prompt: string;
  readonly version: string;
}

/** A value that cannot be rendered: the caller's input lacks it or has the wrong kind. */
export function renderFault(site: Site, message: string): AppError {
  return new AppError(
    'template_input_invalid',
    `${site.prompt}@${site.version} cannot be rendered: ${site.requestPath} ${message} (${site.place})`,
    {
      faults: [{ path: site.requestPath, message: `${message} (used at ${site.place})` }],
      details: { prompt: site.prompt, version: site.version, place: site.place },
    },
  );
}

/** Conditions left nothing but white space: an upstream would refuse the call. */
export function renderNothing(prompt: string, version: string): AppError {
  return new AppError(
    'template_input_invalid',
    `${prompt}@${version} renders to nothing with these variables: send others, or give the template a text that always stands`,
    { details: { prompt, version } },
  );
}

export function countStep(run: Run): void {
  run.steps += 1;
  if (run.steps > run.maxSteps) {
    throw new AppError(
      'template_limit_exceeded',
      `the prompt takes more than max_loop_steps (${run.maxSteps}) loop steps: send shorter lists`,
    );
  }
}

/**
 * Counts text that a helper made and that need not be printed: `{{truncate (json all) 5}}` in a loop would cost the
 * whole of `all` each time. Returns the text.
 */
export function countText(run: Run, text: string): string {
  run.madeUnits += text.length;
  if (run.madeUnits <= run.maxMadeUnits) return text;
  throw new AppError(
    'template_limit_exceeded',
    `the prompt's helpers make more than ${run.maxMadeUnits} characters: send shorter values`,
  );
}

/** Own properties only: nothing of a prototype can be reached from a template. */
export function ownValue(value: unknown, key: string): unknown {
  if (typeof value === 'object' && value !== null) {
    return Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
  }
  if (typeof value === 'string') return key === 'length' ? value.length : undefined;
  return undefined;
}

/** Falsy as in Handlebars: 0 counts as something, an empty list does not. */
export function isEmpty(value: unknown): boolean {
  return (!value && value !== 0) || (Array.isArray(value) && value.length === 0);
}
