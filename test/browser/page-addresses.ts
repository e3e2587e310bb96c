import type { DashboardBench } from './dashboard-bench.ts';
import { EXPERIMENT } from './written-history.ts';

/** Paths below `/admin` of every page, by what a reader calls it. */
export async function pageAddresses(
  bench: Pick<DashboardBench, 'call'>,
  key?: string,
): Promise<ReadonlyMap<string, string>> {
  const path = '/generations?prompt=tip&version=v2&status=ok&limit=50';
  const { generations } = await bench.call('GET', path, undefined, key);
  const calls = generations as readonly { readonly id: string; readonly rewards: readonly unknown[] }[];
  const rewarded = calls.find(({ rewards }) => rewards.length > 0);
  return new Map([
    ['overview', ''],
    ['prompt', '/prompts/tip'],
    ['prompt without calls', '/prompts/digest'],
    ['experiments', '/experiments'],
    ['experiment', `/experiments/${EXPERIMENT}`],
    ['generations', '/generations'],
    ['generation', `/generations/${rewarded?.id ?? 'none'}`],
    ['keys', '/keys'],
    ['health', '/health'],
    ['unknown page', '/nothing-here'],
  ]);
}
