/** One field of a request that is wrong. */
export interface ProblemFault {
  readonly path: string;
  readonly message: string;
}

/** Why a request failed, as the gateway told it (`application/problem+json`), or that it could not be reached. */
export class GatewayProblem extends Error {
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly requestId: string | null;
  readonly faults: readonly ProblemFault[];
  /** Every member of the body, for callers that know a code's own ones (`current`, `gate`). */
  readonly members: Readonly<Record<string, unknown>>;

  constructor(status: number, members: Readonly<Record<string, unknown>>) {
    super(textOr(members['detail'], `The gateway answered ${status}.`));
    this.name = 'GatewayProblem';
    this.status = status;
    this.code = textOr(members['code'], 'unknown');
    this.title = textOr(members['title'], 'The request failed');
    this.requestId = typeof members['request_id'] === 'string' ? members['request_id'] : null;
    this.faults = faultsOf(members['errors']);
    this.members = members;
  }
}

/** The gateway did not answer at all: it is down, restarting, or the network is. */
export function unreachableProblem(): GatewayProblem {
  return new GatewayProblem(0, {
    code: 'unreachable',
    title: 'The gateway does not answer',
    detail:
      'The gateway does not answer: it is stopped, starting, or the network is down. The page keeps trying.',
  });
}

/** The body may be anything: a proxy in front answers in its own words. */
export function problemFrom(status: number, text: string): GatewayProblem {
  try {
    const body: unknown = JSON.parse(text);
    if (isRecord(body)) return new GatewayProblem(status, body);
  } catch {
    // Not JSON: told by its status alone, since markup of a proxy says nothing to a reader.
  }
  return new GatewayProblem(status, { title: `The request failed with status ${status}` });
}

function faultsOf(value: unknown): readonly ProblemFault[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isRecord).map((fault) => ({
    path: textOr(fault['path'], ''),
    message: textOr(fault['message'], ''),
  }));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function textOr(value: unknown, fallback: string): string {
  return typeof value === 'string' && value !== '' ? value : fallback;
}
