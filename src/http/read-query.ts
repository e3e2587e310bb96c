import type { Request } from 'express';
import type { z } from 'zod';
import { AppError } from '../kernel/index.ts';
import { validateInput } from './validate-input.ts';

/** The query of a GET, checked. A parameter that is given twice is refused: which one was meant is not ours to guess. */
export function readQuery<Schema extends z.ZodType>(request: Request, schema: Schema): z.output<Schema> {
  const query: Record<string, unknown> = { ...request.query };
  const repeated = Object.keys(query).filter((name) => Array.isArray(query[name]));
  if (repeated.length > 0) {
    throw new AppError('invalid_request', 'The query is not valid.', {
      faults: repeated.map((path) => ({ path, message: 'is given more than once' })),
    });
  }
  return validateInput(schema, query, 'The query');
}

/** A parameter of the path: the pattern guarantees that it is there, the types cannot know it. */
export function pathParameter(request: Request, name: string): string {
  const value = request.params[name];
  return Array.isArray(value) ? value.join('/') : (value ?? '');
}
