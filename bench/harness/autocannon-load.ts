import { randomUUID } from 'node:crypto';
import autocannon from 'autocannon';

import type { Load, LoadResult } from './load.ts';

/** Load by autocannon, where wrk is not installed. It shares the processor with what it measures: ratios come out smaller. */
export async function loadByAutocannon(load: Load): Promise<LoadResult> {
  const { bodies, path, headers, isKeyed } = load.requests;
  let next = 0;
  const nextBody = (): string => {
    next += 1;
    return bodies[(next - 1) % bodies.length] ?? '';
  };
  const cpuBefore = process.cpuUsage();
  const result = await autocannon({
    url: load.url + path,
    connections: load.connections,
    duration: load.seconds,
    requests: [
      {
        method: 'POST',
        headers: { ...headers },
        body: nextBody(),
        setupRequest: (request) => ({
          ...request,
          body: nextBody(),
          ...(isKeyed === true ? { headers: { ...headers, 'idempotency-key': randomUUID() } } : {}),
        }),
      },
    ],
  });
  const cpu = process.cpuUsage(cpuBefore);
  const errors = result.errors + result.timeouts + result.non2xx;
  return {
    answered: result['2xx'],
    seconds: result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    maxMs: result.latency.max,
    firstTokenP50Ms: null,
    firstTokenP99Ms: null,
    errors,
    firstError:
      errors === 0
        ? null
        : `${result.non2xx} × status, ${result.errors} × error, ${result.timeouts} × timeout`,
    generatorCpuUs: cpu.user + cpu.system,
  };
}
