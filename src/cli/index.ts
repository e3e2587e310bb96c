export { processContext } from './process-context.ts';
export { runCli } from './program.ts';
