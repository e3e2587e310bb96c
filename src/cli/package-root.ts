import { fileURLToPath } from 'node:url';

/** The folder of package.json, with a slash at its end: `src/cli` and `dist/cli` lie equally deep below it. */
export const PACKAGE_ROOT = fileURLToPath(new URL('../../', import.meta.url));
