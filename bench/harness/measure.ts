import { loadByAutocannon } from './autocannon-load.ts';
import type { FakeUpstream } from './fake-upstream.ts';
import type { Load, LoadResult, RequestSet } from './load.ts';
import type { Scenario } from './scenario.ts';
import type { ServerProcess } from './server-process.ts';
import { loadStreams, type StreamShape } from './stream-load.ts';
import { isWrkInstalled, loadByWrk } from './wrk-load.ts';

/** What is measured: a server and what to ask it in one scenario. */
export interface Subject {
  readonly server: ServerProcess;
  readonly requests: RequestSet;
  /** Of its streams; null where answers come whole. */
  readonly shape: StreamShape | null;
  /** Whether the body of an answer, picked out of the load's, is right. */
  isSound(text: string): boolean;
}

export interface Measurement extends LoadResult {
  /** Calls that the fake provider counted meanwhile. */
  readonly upstreamCalls: number;
  /**
   * Upstream calls that neither an answer nor the end of the measurement explains: at the end every connection may have a
   * call under way, and every error may have cost one.
   */
  readonly hiddenRetries: number;
  readonly cpuUsPerRequest: number | null;
  readonly upstreamCpuUs: number;
  readonly rssMb: number | null;
}

export interface MeasureOptions {
  readonly seconds: number;
  readonly generator: GeneratorName;
}

export type GeneratorName = 'wrk' | 'autocannon';

export function installedGenerator(): GeneratorName {
  return isWrkInstalled() ? 'wrk' : 'autocannon';
}

/** Answers looked at before each measurement: the load itself looks at statuses only. */
const SAMPLED_ANSWERS = 3;
/** Between two looks at the fake provider's counts, besides its delay: calls under way have ended by then. */
const SETTLE_MS = 100;

export async function measure(
  scenario: Scenario,
  subject: Subject,
  upstream: FakeUpstream,
  options: MeasureOptions,
): Promise<Measurement> {
  const { server, requests, shape } = subject;
  await upstream.delayAnswers(scenario.providerDelayMs);
  if (shape === null) await checkAnswers(subject);
  const callsBefore = (await settledCounts(upstream, scenario)).calls;
  const cpuBefore = server.cpuUs();
  const upstreamCpuBefore = upstream.cpuUs() ?? 0;
  const load: Load = {
    url: server.url,
    requests,
    connections: scenario.connections,
    seconds: options.seconds,
  };
  const result =
    shape !== null
      ? await loadStreams(load, shape, upstream.tokens)
      : await (options.generator === 'wrk' ? loadByWrk : loadByAutocannon)(load);
  const cpuAfter = server.cpuUs();
  if (requests.isOnce === true && result.answered > requests.bodies.length) {
    throw new Error(
      `${scenario.name}: ${result.answered} answers, but only ${requests.bodies.length} bodies`,
    );
  }
  const upstreamCpuUs = (upstream.cpuUs() ?? 0) - upstreamCpuBefore;
  const rssMb = server.rssMb();
  const upstreamCalls = (await settledCounts(upstream, scenario)).calls - callsBefore;
  const explained = result.answered + result.errors + scenario.connections;
  return {
    ...result,
    upstreamCalls,
    hiddenRetries: Math.max(0, upstreamCalls - explained),
    cpuUsPerRequest:
      cpuBefore === null || cpuAfter === null ? null : (cpuAfter - cpuBefore) / result.answered,
    upstreamCpuUs,
    rssMb,
  };
}

async function checkAnswers({ server, requests, isSound }: Subject): Promise<void> {
  for (let index = 0; index < SAMPLED_ANSWERS; index += 1) {
    // From the end: a load begins with the first.
    const body = requests.bodies.at(-1 - index) ?? requests.bodies[0] ?? '';
    const init = { method: 'POST', headers: { ...requests.headers }, body };
    const response = await fetch(server.url + requests.path, init);
    const text = await response.text();
    if (!response.ok || !isSound(text)) {
      throw new Error(`${server.name}: a wrong answer, status ${response.status}: ${text.slice(0, 500)}`);
    }
  }
}

async function settledCounts(upstream: FakeUpstream, { providerDelayMs }: Scenario) {
  let counts = await upstream.counts();
  for (;;) {
    await new Promise((later) => setTimeout(later, SETTLE_MS + providerDelayMs));
    const now = await upstream.counts();
    if (now.calls === counts.calls) return now;
    counts = now;
  }
}
