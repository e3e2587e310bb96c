import { z } from 'zod';

/** The message does not repeat the value: whoever pastes a key here must not find it in a log. */
export const VARIABLE_NAME = z
  .string()
  .regex(
    /^[A-Za-z_][A-Za-z0-9_]{0,127}$/,
    'names an environment variable (A-Z a-z 0-9 _); the secret itself never stands in this file',
  );

export const HTTP_URL = z.url({
  protocol: /^https?$/,
  error: 'must be a URL that begins with http:// or https://',
});

export const positiveInt = (description: string, fallback: number, max = 2_147_483_647) =>
  z.int().min(1).max(max).default(fallback).describe(description);
