import { Worker } from 'node:worker_threads';

/**
 * Most that a thread may use for objects that soon die, in megabytes. Its own default is 48, and threads fill it: a batch
 * of rows is a few hundred kilobytes, gone with the commit.
 */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 12 };

/**
 * Starts a module of this folder as a worker thread. Compiled code starts the file. From TypeScript sources (tsx,
 * jest) Node 20 cannot start a `.ts` file, whatever its flags: a line of code registers the loader inside the new
 * thread and imports the module then.
 */
export function startThread(moduleName: string, workerData: unknown): Worker {
  const isSource = import.meta.url.endsWith('.ts');
  const url = new URL(`./${moduleName}.${isSource ? 'ts' : 'js'}`, import.meta.url).href;
  if (!isSource) return new Worker(new URL(url), { workerData, resourceLimits: RESOURCE_LIMITS });
  const loader = import.meta.resolve('tsx/esm/api');
  const bootstrap = `
    import(${JSON.stringify(loader)})
      .then(({ register }) => { register(); return import(${JSON.stringify(url)}); })
      .catch((error) => { setImmediate(() => { throw error; }); });`;
  // Flags of the parent (a test runner's, a loader's) are not for this thread.
  return new Worker(bootstrap, { eval: true, execArgv: [], workerData, resourceLimits: RESOURCE_LIMITS });
}
