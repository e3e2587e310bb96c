import type { DashboardBench } from './dashboard-bench.ts';
import { EXPERIMENT } from './written-history.ts';

/** Paths below `/admin` of every page, by what a reader calls it. */
export async function pageAddresses(
  bench: Pick<DashboardBench, 'call'>,
  key?: string,
): Promise<ReadonlyMap<string, string>> {
  const { generations } = await bench.call('GET', '/generations?prompt=tip&limit=1', undefined, key);
  const [newest] = generations as readonly { readonly id: string }[];
  return new Map([
    ['overview', ''],
    ['prompt', '/prompts/tip'],
    ['prompt without calls', '/prompts/digest'],
    ['experiments', '/experiments'],
    ['experiment', `/experiments/${EXPERIMENT}`],
    ['generations', '/generations'],
    ['generation', `/generations/${newest?.id ?? 'none'}`],
    ['keys', '/keys'],
    ['health', '/health'],
    ['unknown page', '/nothing-here'],
  ]);
}
