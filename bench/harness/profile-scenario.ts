import type { BenchOptions } from './bench-options.ts';
export async function profileScenario(options: BenchOptions): Promise<string> {
  throw new Error(String(options));
}
