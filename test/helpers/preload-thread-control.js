// Loaded before a gateway by a fault test: signals end its storage threads, as a crash in native code would.
import { syncBuiltinESMExports } from 'node:module';
import workers from 'node:worker_threads';

if (workers.isMainThread) {
  const threads = new Map();
  workers.Worker = class extends workers.Worker {
    constructor(url, options) {
      super(url, options);
      threads.set(/writer|reader/.exec(String(url))?.[0], this);
    }
  };
  syncBuiltinESMExports();
  process.on('SIGUSR2', () => void threads.get('writer')?.terminate());
  process.on('SIGWINCH', () => void threads.get('reader')?.terminate());
}
