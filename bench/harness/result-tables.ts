import { goalFigures } from './goals.ts';
import { type BenchResults, type ContenderFacts, type Summary, summaryOf } from './results.ts';
import { SCENARIOS, type Scenario, type ScenarioName } from './scenario.ts';

/** All of it as Markdown: the overview where there is more than one scenario, then every figure. */
export function resultTables(results: BenchResults): string {
  const measured = SCENARIOS.filter(({ name }) => results.series.some(({ scenario }) => scenario === name));
  const generate = measured.filter(({ group }) => group === 'generate');
  return [
    conditions(results),
    ...goals(results),
    ...(generate.length > 1 ? [overview(results, generate)] : []),
    ...(measured.some(({ group }) => group !== 'generate') ? [otherCalls(results)] : []),
    details(results, measured),
    ...notes(results),
  ].join('\n\n');
}

function conditions({ machine, generator, seconds, rounds }: BenchResults): string {
  const load =
    generator === 'wrk'
      ? 'wrk (streams: a client on sockets, which checks every event)'
      : 'autocannon, which shares the processor with what it measures: install wrk for the real figures';
  return (
    `${machine.date}, ${machine.cores} × ${machine.cpuModel}, ${machine.system}, Node ${machine.nodeVersion}; a synced write of 4 KB takes ` +
    `${machine.syncMs.toFixed(2)} ms. Load by ${load}; fake provider, targets and load on this one machine. ` +
    `Medians of ${rounds} rounds of ${seconds} s (outcomes: at most 2 s), forwards and backwards.`
  );
}

function goals(results: BenchResults): readonly string[] {
  const figures = goalFigures(results);
  if (figures.length === 0) return [];
  const rows = figures.map(({ what, goal, figure, isReached }) => [
    what,
    goal,
    figure,
    isReached ? 'yes' : '**no**',
  ]);
  return [table(['what', 'goal', 'found', 'reached'], rows)];
}

function overview(results: BenchResults, scenarios: readonly Scenario[]): string {
  const has = (name: ScenarioName): boolean => scenarios.some((scenario) => scenario.name === name);
  const columns: { readonly title: string; cell(facts: ContenderFacts): string }[] = [
    { title: 'target', cell: ({ title }) => title },
    { title: 'stores the call', cell: ({ logs }) => logs },
  ];
  const add = (name: ScenarioName, title: string, cell: (summary: Summary) => string): void => {
    const scenario = scenarios.find((known) => known.name === name);
    if (scenario === undefined) return;
    columns.push({
      title,
      cell: ({ name: target }) => {
        const summary = summaryOf(results, scenario, target);
        return summary === null ? '–' : cell(summary);
      },
    });
  };
  const pair = ({ p50Ms, p99Ms }: Summary): string => `${fixed(p50Ms, 2)} / ${fixed(p99Ms, 1)}`;
  const rate = (summary: Summary): string => whole(summary.requestsPerSecond);
  add('c1', 'c=1: p50 / p99 ms', pair);
  add('c64', 'c=64: req/s', rate);
  add('c64', '× reference', (summary) => times(summary.timesReference));
  add('c64', 'CPU µs/req', ({ cpuUsPerRequest }) => whole(cpuUsPerRequest));
  add('slow', '50 ms provider, c=64: p50 / p99 ms', pair);
  add('streams', 'streams, c=16: req/s', rate);
  add('streams', '× reference', (summary) => times(summary.timesReference));
  add('stream-c1', 'first token, c=1: p50 / p99 ms', ({ firstTokenP50Ms, firstTokenP99Ms }) =>
    firstTokenP50Ms === null ? '–' : `${fixed(firstTokenP50Ms, 2)} / ${fixed(firstTokenP99Ms ?? 0, 1)}`,
  );
  columns.push({ title: 'start s', cell: ({ startMs }) => fixed(startMs / 1000, 2) });
  const loaded = has('c64') ? 'c64' : (scenarios.at(-1)?.name ?? 'c64');
  add(loaded, 'RSS MB', ({ rssMb }) => whole(rssMb));
  columns.push({ title: 'errors', cell: (facts) => String(totalOf(results, facts, 'errors')) });
  columns.push({
    title: 'hidden retries',
    cell: (facts) => String(totalOf(results, facts, 'hiddenRetries')),
  });
  const rows = results.contenders.filter(({ group }) => group === 'generate');
  return table(
    columns.map(({ title }) => title),
    rows.map((facts) => columns.map(({ cell }) => cell(facts))),
  );
}

function totalOf(results: BenchResults, { name }: ContenderFacts, what: 'errors' | 'hiddenRetries'): number {
  return results.series
    .filter(({ target }) => target === name)
    .flatMap(({ rounds }) => rounds)
    .reduce((sum, round) => sum + round[what], 0);
}

function otherCalls(results: BenchResults): string {
  const rows = SCENARIOS.filter(({ group }) => group !== 'generate').flatMap((scenario) => {
    const summary = summaryOf(results, scenario, 'gateway');
    if (summary === null) return [];
    const { p50Ms, p99Ms, cpuUsPerRequest, rssMb, errors } = summary;
    const items = summary.requestsPerSecond * scenario.itemsPerRequest;
    return [
      [
        scenario.title,
        whole(summary.requestsPerSecond),
        scenario.group === 'feedback' ? whole(items) : '–',
        fixed(p50Ms, 2),
        fixed(p99Ms, 1),
        whole(cpuUsPerRequest),
        whole(rssMb),
        String(errors),
      ],
    ];
  });
  const titles = ['gateway', 'req/s', 'outcomes/s', 'p50 ms', 'p99 ms', 'CPU µs/req', 'RSS MB', 'errors'];
  return table(titles, rows);
}

function details(results: BenchResults, scenarios: readonly Scenario[]): string {
  const rows = scenarios.flatMap((scenario) =>
    results.contenders
      .filter(({ group }) => group === scenario.group)
      .flatMap(({ name }) => {
        const summary = summaryOf(results, scenario, name);
        return summary === null ? [] : [detailCells(summary)];
      }),
  );
  const titles = ['scenario', 'target', 'req/s', '× reference', 'p50 ms', 'p99 ms', 'first token p50 ms'];
  const more = ['CPU µs/req', 'RSS MB', 'errors', 'hidden retries', 'load, cores', 'fake, cores'];
  return table([...titles, ...more], rows);
}

function detailCells(summary: Summary): readonly string[] {
  const { scenario, target, p50Ms, p99Ms, firstTokenP50Ms } = summary;
  return [
    scenario.name,
    target,
    whole(summary.requestsPerSecond),
    times(summary.timesReference),
    fixed(p50Ms, 2),
    fixed(p99Ms, 1),
    firstTokenP50Ms === null ? '–' : fixed(firstTokenP50Ms, 2),
    whole(summary.cpuUsPerRequest),
    whole(summary.rssMb),
    String(summary.errors),
    String(summary.hiddenRetries),
    fixed(summary.generatorCores, 2),
    fixed(summary.upstreamCores, 2),
  ];
}

function notes(results: BenchResults): readonly string[] {
  const stored = results.contenders.flatMap(({ title, rows }) =>
    rows === null ? [] : [`${title}: ${rows.generations} rows for ${rows.upstreamCalls} calls upstream.`],
  );
  const missing =
    results.notInstalled.length === 0
      ? []
      : [`Not installed: ${results.notInstalled.join(', ')} (\`bash bench/peers/install.sh\`).`];
  return [...(stored.length === 0 ? [] : [stored.join(' ')]), ...missing];
}

export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(titles), `|${titles.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}

function whole(value: number | null): string {
  if (value === null) return '?';
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en') : '–';
}

function fixed(value: number, digits: number): string {
  // Of nothing that was answered.
  return Number.isFinite(value) ? value.toFixed(digits) : '–';
}

function times(ratio: number | null): string {
  return ratio === null ? '–' : ratio.toFixed(2);
}
