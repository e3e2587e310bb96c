import { resolve } from 'node:path';

/** The project's folder, wherever a benchmark is started from. */
export const ROOT = resolve(import.meta.dirname, '../..');
