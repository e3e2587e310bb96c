import { openCaller } from './caller.ts';
import type { Load, LoadResult } from './load.ts';
import { quantile } from './quantile.ts';

/** How one server writes its events. */
export interface StreamShape {
  /** Comes with the first piece of text and not before. */
  readonly textMark: string;
  /** Finds the piece of text of every event, in their order. */
  readonly textPattern: RegExp;
  /** Without it at the end the stream was cut. */
  readonly endMark: string;
}

interface Tally {
  readonly latenciesMs: number[];
  readonly firstTokensMs: number[];
  errors: number;
  firstError: string | null;
}

/**
 * Load of streams, in this process: wrk sees no events. Every stream must hold every piece of `tokens` in an event of its
 * own, in order, and its end.
 */
export async function loadStreams(
  load: Load,
  shape: StreamShape,
  tokens: readonly string[],
): Promise<LoadResult> {
  const tally: Tally = { latenciesMs: [], firstTokensMs: [], errors: 0, firstError: null };
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  const untilMs = startMs + load.seconds * 1000;
  let next = 0;
  await Promise.all(
    Array.from({ length: load.connections }, async () => {
      const caller = openCaller(load.url, load.requests);
      try {
        while (performance.now() < untilMs) {
          next += 1;
          const sentMs = performance.now();
          let firstTokenMs = Number.NaN;
          const { status, text } = await caller.send(next, (soFar) => {
            if (Number.isNaN(firstTokenMs) && soFar.includes(shape.textMark)) {
              firstTokenMs = performance.now() - sentMs;
            }
          });
          const fault = faultOf(text, status, shape, tokens);
          if (fault === null) {
            tally.latenciesMs.push(performance.now() - sentMs);
            tally.firstTokensMs.push(firstTokenMs);
          } else noteError(tally, fault);
        }
      } catch (error) {
        noteError(tally, String(error));
      } finally {
        caller.close();
      }
    }),
  );
  const cpu = process.cpuUsage(cpuBefore);
  const { latenciesMs, firstTokensMs } = tally;
  return {
    answered: latenciesMs.length,
    seconds: (performance.now() - startMs) / 1000,
    p50Ms: quantile(latenciesMs, 0.5),
    p99Ms: quantile(latenciesMs, 0.99),
    maxMs: quantile(latenciesMs, 1),
    firstTokenP50Ms: quantile(firstTokensMs, 0.5),
    firstTokenP99Ms: quantile(firstTokensMs, 0.99),
    errors: tally.errors,
    firstError: tally.firstError,
    generatorCpuUs: cpu.user + cpu.system,
  };
}

function noteError(tally: Tally, fault: string): void {
  tally.errors += 1;
  tally.firstError ??= fault;
}

function faultOf(text: string, status: number, shape: StreamShape, tokens: readonly string[]): string | null {
  if (status !== 200) return `status ${status}: ${text.slice(0, 300)}`;
  const pieces = Array.from(text.matchAll(shape.textPattern), ([, piece]) => piece);
  const isWhole = pieces.length === tokens.length && pieces.every((piece, index) => piece === tokens[index]);
  if (!isWhole) return `${pieces.length} of ${tokens.length} pieces of text: ${text.slice(0, 300)}`;
  return text.includes(shape.endMark) ? null : `no end: ${text.slice(-300)}`;
}
