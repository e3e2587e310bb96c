import { Worker } from 'node:worker_threads';

/**
 * Starts a module of this folder as a worker thread. Compiled code starts the file. From TypeScript sources (tsx,
 * jest) Node 20 cannot start a `.ts` file, whatever its flags: a line of code registers the loader inside the new
 * thread and imports the module then.
 */
export function startThread(moduleName: string, workerData: unknown): Worker {
  const isSource = import.meta.url.endsWith('.ts');
  const url = new URL(`./${moduleName}.${isSource ? 'ts' : 'js'}`, import.meta.url).href;
  if (!isSource) return new Worker(new URL(url), { workerData });
  const loader = import.meta.resolve('tsx/esm/api');
  const bootstrap = `
    import(${JSON.stringify(loader)})
      .then(({ register }) => { register(); return import(${JSON.stringify(url)}); })
      .catch((error) => { setImmediate(() => { throw error; }); });`;
  // Flags of the parent (a test runner's, a loader's) are not for this thread.
  return new Worker(bootstrap, { eval: true, execArgv: [], workerData });
}
