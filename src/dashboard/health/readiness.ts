/** Answer of `/readyz`, which comes with 503 while the gateway takes no traffic. */
export interface Readiness {
  readonly status: 'ready' | 'degraded' | 'not_ready';
  readonly draining: boolean;
  readonly parts: Readonly<Record<string, ReadinessPart>>;
}

export interface ReadinessPart {
  readonly status: 'ok' | 'degraded' | 'failed';
  readonly detail: string | null;
}

interface Answered {
  readonly data: Readiness | null;
  readonly problem: { readonly status: number; readonly members: Readonly<Record<string, unknown>> } | null;
}

/** What was answered last, also where the answer was "not ready": that is no failure of the request. */
export function readinessOf({ data, problem }: Answered): Readiness | null {
  if (problem === null) return data;
  const { status, draining, parts } = problem.members;
  const isReadiness = problem.status === 503 && status === 'not_ready' && typeof parts === 'object';
  if (!isReadiness || parts === null) return null;
  // Shape of our own answer, told apart from a problem by its `parts`.
  return { status, draining: draining === true, parts: parts as Readiness['parts'] };
}

/** The state of the gateway in a sentence: the answer before the parts. */
export function readinessText({ status, draining, parts }: Readiness): string {
  if (draining) return 'The gateway is stopping: running calls end, new ones are refused.';
  const ill = Object.entries(parts).filter(([, part]) => part.status !== 'ok');
  const names = ill.map(([name]) => name).join(', ');
  if (status === 'ready') return 'Every part works.';
  if (status === 'degraded') return `Calls are answered, with less than usual: ${names}.`;
  return `No call can be answered: ${names}.`;
}
