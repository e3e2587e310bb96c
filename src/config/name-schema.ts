import { z } from 'zod';

export const NAME = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,63}$/,
    'a name has 1 to 64 of a-z 0-9 . _ - and starts with a letter or digit',
  );
