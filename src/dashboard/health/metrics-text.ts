/** One line of a Prometheus text answer. */
interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

type Wanted = Readonly<Record<string, string>>;

/** What `/metrics` said at one moment. */
export interface MetricsView {
  /** Sum over the series with these labels; null without one. */
  sum(name: string, labels?: Wanted): number | null;
  /** Sums by the values of one label, largest first. */
  sumsBy(name: string, label: string): readonly (readonly [value: string, sum: number])[];
  /** The labels of every series of a metric, with its value. */
  series(name: string): readonly Sample[];
  /** Upper end of the histogram's bucket that holds the quantile, in its own unit; null without an observation. */
  quantile(name: string, quantile: number, labels?: Wanted): number | null;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** Reads Prometheus text 0.0.4; lines it does not know it leaves out. */
export function readMetrics(text: string): MetricsView {
  const byName = new Map<string, Sample[]>();
  for (const line of text.split('\n')) {
    const sample = sampleOf(line);
    if (sample === null) continue;
    const others = byName.get(sample.name);
    if (others === undefined) byName.set(sample.name, [sample]);
    else others.push(sample);
  }
  const series = (name: string, labels: Wanted = {}): readonly Sample[] =>
    (byName.get(name) ?? []).filter((sample) =>
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
    );

  return {
    series: (name) => series(name),
    sum(name, labels) {
      const samples = series(name, labels);
      return samples.length === 0 ? null : samples.reduce((sum, { value }) => sum + value, 0);
    },
    sumsBy(name, label) {
      const sums = new Map<string, number>();
      for (const { labels, value } of series(name)) {
        const key = labels[label] ?? '';
        sums.set(key, (sums.get(key) ?? 0) + value);
      }
      return [...sums].sort((a, b) => b[1] - a[1]);
    },
    quantile(name, quantile, labels) {
      const counts = new Map<number, number>();
      for (const sample of series(`${name}_bucket`, labels)) {
        const end = Number(sample.labels['le']?.replace('+Inf', 'Infinity'));
        counts.set(end, (counts.get(end) ?? 0) + sample.value);
      }
      const buckets = [...counts].sort((a, b) => a[0] - b[0]);
      const all = buckets.at(-1)?.[1] ?? 0;
      if (all === 0) return null;
      return buckets.find(([, count]) => count >= quantile * all)?.[0] ?? null;
    },
  };
}

function sampleOf(line: string): Sample | null {
  if (line.startsWith('#')) return null;
  const [, name, labelText = '', valueText] = LINE.exec(line) ?? [];
  const value = Number(valueText?.replace('Inf', 'Infinity'));
  if (name === undefined || valueText === undefined || Number.isNaN(value)) return null;
  const labels = Object.fromEntries(
    [...labelText.matchAll(LABEL)].map(([, label = '', text = '']) => [label, unescaped(text)]),
  );
  return { name, labels, value };
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (_, letter: string) => (letter === 'n' ? '\n' : letter));
}
