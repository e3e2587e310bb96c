import type { VersionReport } from '../api/wire-types.ts';
import { type Choice, ChoiceFilter, DateFilter, Filters } from '../components/filters.tsx';
import { useQuery } from '../router.ts';

const PERIODS: readonly Choice[] = [
  { value: '', text: 'All time' },
  { value: '24h', text: 'Last 24 hours' },
  { value: '7d', text: 'Last 7 days' },
  { value: '30d', text: 'Last 30 days' },
  { value: 'days', text: 'Between two days' },
];
const SOURCES: readonly Choice[] = [
  { value: '', text: 'Any' },
  { value: 'body', text: 'Named in the call' },
  { value: 'env', text: 'Environment' },
  { value: 'default', text: 'Default' },
];
const SEGMENTS: readonly Choice[] = [
  { value: '', text: 'Every call' },
  { value: 'assigned', text: 'Assigned' },
  { value: 'forced', text: 'Forced by the caller' },
  { value: 'model_answers', text: 'Answered by a model' },
  { value: 'authored_lines', text: 'Authored lines' },
];

/** What the report is about. The choices come from the report: only what was seen can be chosen. */
export function ReportFilters({ report }: { readonly report: VersionReport | null }) {
  const [query] = useQuery();
  const { metrics = [], models = [], experiments = [] } = report?.choices ?? {};
  const isCustom = query['period'] === 'days' || query['from'] !== undefined || query['to'] !== undefined;
  return (
    <Filters>
      <ChoiceFilter
        name="metric"
        label="Metric"
        choices={[{ value: '', text: 'Primary' }, ...named(metrics)]}
      />
      <ChoiceFilter name="period" label="Time" choices={PERIODS} resets={['from', 'to']} />
      {isCustom && <DateFilter name="from" label="First day (UTC)" />}
      {isCustom && <DateFilter name="to" label="Last day (UTC)" />}
      <ChoiceFilter name="model" label="Model" choices={[{ value: '', text: 'Any' }, ...named(models)]} />
      <ChoiceFilter
        name="segment"
        label="Segment"
        choices={[
          ...SEGMENTS,
          ...experiments.map((name) => ({ value: `experiment:${name}`, text: `Experiment ${name}` })),
        ]}
      />
      <ChoiceFilter name="source" label="Version came from" choices={SOURCES} />
      <ChoiceFilter
        name="baseline"
        label="Baseline"
        choices={[
          { value: '', text: 'Configured' },
          ...named(report?.versions.map(({ prompt_version }) => prompt_version) ?? []),
        ]}
      />
    </Filters>
  );
}

function named(names: readonly string[]): readonly Choice[] {
  return names.map((name) => ({ value: name, text: name }));
}
