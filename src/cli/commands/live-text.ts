import Table from 'cli-table3';

import { type Fault, usdFromNanoUsd } from '../../kernel/index.ts';
import { printableText } from '../printable-text.ts';

/** What a model answered to one version of one case. */
export interface LiveResult {
  readonly version: string;
  readonly text: string;
  /** Why it does not count as an answer; null: it does. */
  readonly problem: string | null;
  readonly faults: readonly Fault[];
  readonly provider: string | null;
  readonly model: string | null;
  /** Null: not known. */
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly costNanoUsd: number | null;
  readonly latencyMs: number | null;
}

export interface LiveCase {
  readonly name: string;
  /** One for each version, in order. */
  readonly results: readonly LiveResult[];
}

export interface LiveRun {
  readonly prompt: string;
  readonly route: string;
  readonly versions: readonly string[];
  readonly cases: readonly LiveCase[];
}

/** Wide enough for a short paragraph, two of them side by side in a terminal of 120 columns. */
const COLUMN_CHARACTERS = 54;
/** An answer of thousands of words is cut here; `--json` has all of it. */
const MAX_SHOWN_CHARACTERS = 2_000;

/** The answers side by side, then what each version took in sum. */
export function liveText({ prompt, route, versions, cases }: LiveRun): string {
  const parts = cases.map(({ name, results }) => {
    const table = new Table({
      head: [...versions],
      style: { head: [], border: [] },
      wordWrap: true,
      colWidths: versions.map(() => COLUMN_CHARACTERS),
    });
    table.push(results.map(shownAnswer), results.map(shownFacts));
    return `${name}\n${table.toString()}\n`;
  });
  return [`${prompt} by route ${route}\n`, ...parts, totals(versions, cases)].join('\n');
}

function shownAnswer({ text, problem, faults }: LiveResult): string {
  const cut = text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)} … (cut)` : text;
  const found = faults.map(({ path, message }) => `${path}: ${message}`);
  return printableText(
    [...(cut === '' ? [] : [cut]), ...(problem === null ? [] : [`! ${problem}`, ...found])].join('\n'),
  );
}

function shownFacts({
  provider,
  model,
  inputTokens,
  outputTokens,
  costNanoUsd,
  latencyMs,
}: LiveResult): string {
  if (provider === null) return '-';
  const tokens = `${inputTokens ?? '?'} + ${outputTokens ?? '?'} tokens`;
  return printableText(
    `${provider} ${model ?? ''}\n${tokens}, ${usd(costNanoUsd)}, ${milliseconds(latencyMs)}`,
  );
}

function totals(versions: readonly string[], cases: readonly LiveCase[]): string {
  const table = new Table({
    head: ['version', 'answers', 'failed', 'input tokens', 'output tokens', 'cost', 'median latency'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [] },
  });
  for (const version of versions) {
    const results = cases.flatMap((each) => each.results).filter((each) => each.version === version);
    const failed = results.filter(({ problem }) => problem !== null).length;
    table.push([
      version,
      String(results.length - failed),
      String(failed),
      String(sum(results.map(({ inputTokens }) => inputTokens)) ?? '?'),
      String(sum(results.map(({ outputTokens }) => outputTokens)) ?? '?'),
      usd(sum(results.map(({ costNanoUsd }) => costNanoUsd))),
      milliseconds(median(results.flatMap(({ latencyMs }) => latencyMs ?? []))),
    ]);
  }
  return `${table.toString()}\n`;
}

/** Of what is known; null when nothing is. */
function sum(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((total, value) => total + value, 0);
}

function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  return upper === undefined || lower === undefined ? null : (upper + lower) / 2;
}

function usd(nanoUsd: number | null): string {
  const value = usdFromNanoUsd(nanoUsd);
  return value === null ? 'cost not known' : `$${value.toFixed(6)}`;
}

function milliseconds(value: number | null): string {
  return value === null ? '-' : `${Math.round(value)} ms`;
}
