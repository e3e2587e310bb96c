import { processContext, runCli } from './cli/index.ts';

// The process of `npm start`: the `serve` command, with its signals, messages and exit codes.
process.exitCode = await runCli(['serve', ...process.argv.slice(2)], processContext());
