import { useApi } from '../api/api-context.ts';
import type { ExperimentSummary } from '../api/experiment-wire.ts';
import type { GenerationList, GenerationSummary } from '../api/generation-wire.ts';
import { REPORT_POLL_MS, useResource } from '../api/use-resource.ts';
import type { Prompt } from '../api/wire-types.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { EmptyState } from '../components/empty-state.tsx';
import { type Choice, ChoiceFilter, DateFilter, Filters, TextFilter } from '../components/filters.tsx';
import { Link } from '../components/link.tsx';
import { PageHeading } from '../components/page-heading.tsx';
import { ResourceView } from '../components/resource-view.tsx';
import { Time } from '../components/time.tsx';
import { formatDurationMs, formatUsd } from '../format.ts';
import { firstCallCommand } from '../generations/first-call-command.ts';
import { rewardText } from '../generations/generation-facts.ts';
import { GENERATION_FILTERS, generationsPath, isFiltered } from '../generations/generations-path.ts';
import { StatusBadges } from '../generations/status-badge.tsx';
import { pageHref } from '../match-path.ts';
import type { PageProps } from '../page-props.ts';
import { usePlace, useQuery } from '../router.ts';

/** Every recorded call, newest first, a page at a time. */
export function GenerationsPage(_props: PageProps) {
  const [query] = useQuery();
  const isNewest = query['cursor'] === undefined;
  // Older pages stand still: new calls come before the newest.
  const list = useResource<GenerationList>(generationsPath(query), {
    pollMs: isNewest ? REPORT_POLL_MS : 0,
  });
  return (
    <>
      <PageHeading title="Generations" />
      <GenerationFilters />
      {list.problem !== null && !isNewest && <Link href={pageHref('/generations')}>Newest calls</Link>}
      <ResourceView resource={list} what="the calls">
        {(data) => (
          <section class="panel" aria-label="Calls">
            {data.generations.length === 0 ? (
              <NothingFound isLast={data.next_cursor === null} isNewest={isNewest} />
            ) : (
              <DataTable
                caption={isNewest ? 'Newest calls' : 'Older calls'}
                columns={COLUMNS}
                rows={data.generations}
                rowKey={({ id }) => id}
              />
            )}
            <Paging list={data} isNewest={isNewest} />
          </section>
        )}
      </ResourceView>
    </>
  );
}

const COLUMNS: readonly Column<GenerationSummary>[] = [
  {
    key: 'call',
    title: 'Call',
    isHeading: true,
    cell: (call) => (
      <>
        <Link href={pageHref('/generations/:id', { id: call.id })} class="nowrap">
          <Time time={call.created_at} />
        </Link>
        <span class="cell-note">
          <code title={call.id}>…{call.id.slice(-8)}</code>
          {call.external_id !== null && ` · ${call.external_id}`}
        </span>
      </>
    ),
  },
  {
    key: 'prompt',
    title: 'Prompt',
    cell: (call) => (
      <span>
        {call.prompt === null ? (
          <span class="muted">passed through</span>
        ) : (
          <Link href={pageHref('/prompts/:name', { name: call.prompt })} class="nowrap">
            {call.prompt} {call.prompt_version}
          </Link>
        )}
        {call.experiment !== null && (
          <span class="cell-note nowrap">
            {call.experiment}: {call.arm}
          </span>
        )}
      </span>
    ),
  },
  {
    key: 'text',
    title: 'Answer',
    cell: (call) =>
      call.text_start === null ? (
        <span class="muted">none</span>
      ) : (
        <span class="clamped">{call.text_start}</span>
      ),
  },
  {
    key: 'rewards',
    title: 'Rewards',
    cell: (call) =>
      call.rewards.length === 0 ? (
        <span class="muted">none yet</span>
      ) : (
        <span>
          {call.rewards.map(({ metric, reward }) => (
            <span class="line nowrap" key={metric}>
              {metric} <span class="number">{rewardText(reward)}</span>
            </span>
          ))}
        </span>
      ),
  },
  { key: 'model', title: 'Model', cell: (call) => <span class="nowrap">{call.model ?? '–'}</span> },
  { key: 'latency', title: 'Latency', isNumber: true, cell: (call) => formatDurationMs(call.latency_ms) },
  { key: 'cost', title: 'Cost', isNumber: true, cell: (call) => formatUsd(call.cost_usd) },
  { key: 'status', title: 'Ended', cell: (call) => <StatusBadges call={call} /> },
];

const STATUS_CHOICES: readonly Choice[] = [
  { value: '', text: 'any' },
  { value: 'ok', text: 'ok' },
  { value: 'error', text: 'error' },
  { value: 'incomplete', text: 'incomplete' },
  { value: 'client_closed', text: 'client left' },
];

function GenerationFilters() {
  const [query, change] = useQuery();
  const prompts = useResource<{ readonly prompts: readonly Prompt[] }>('/prompts', { pollMs: 0 }).data
    ?.prompts;
  const experiments = useResource<{ readonly experiments: readonly ExperimentSummary[] }>(
    '/analytics/experiments',
    { pollMs: 0 },
  ).data?.experiments;
  const prompt = prompts?.find(({ name }) => name === query['prompt']);
  const experiment = experiments?.find((one) => one.experiment === query['experiment']);
  const hasPrompt = query['prompt'] !== undefined;
  const hasExperiment = query['experiment'] !== undefined;
  const clear = (): void =>
    change(Object.fromEntries([...GENERATION_FILTERS, 'cursor'].map((name) => [name, undefined])));

  return (
    <Filters>
      <TextFilter name="q" label="Id or external id" placeholder="gen_…" resets={['cursor']} />
      <ChoiceFilter
        name="prompt"
        label="Prompt"
        choices={choicesOf(prompts?.map(({ name }) => name))}
        resets={['version', 'label', 'cursor']}
      />
      {hasPrompt && (
        <>
          <ChoiceFilter
            name="version"
            label="Version"
            choices={choicesOf(prompt?.versions.map(({ version }) => version))}
            resets={['cursor']}
          />
          <ChoiceFilter
            name="label"
            label="Label"
            choices={choicesOf(prompt?.labels.map(({ label }) => label))}
            resets={['cursor']}
          />
        </>
      )}
      <ChoiceFilter
        name="experiment"
        label="Experiment"
        choices={choicesOf(experiments?.map((one) => one.experiment))}
        resets={['arm', 'cursor']}
      />
      {hasExperiment && (
        <ChoiceFilter
          name="arm"
          label="Arm"
          choices={choicesOf(experiment?.arms.map(({ arm }) => arm))}
          resets={['cursor']}
        />
      )}
      <ChoiceFilter name="status" label="Ended" choices={STATUS_CHOICES} resets={['cursor']} />
      <TextFilter name="user_id" label="User" placeholder="user_id" resets={['cursor']} />
      <DateFilter name="from" label="Since (UTC day)" resets={['cursor']} />
      <DateFilter name="to" label="Before (UTC day)" resets={['cursor']} />
      {isFiltered(query) && (
        <button type="button" onClick={clear}>
          Clear filters
        </button>
      )}
    </Filters>
  );
}

function choicesOf(names: readonly string[] | undefined): readonly Choice[] {
  return [{ value: '', text: 'any' }, ...(names ?? []).map((name) => ({ value: name, text: name }))];
}

function NothingFound({ isLast, isNewest }: { readonly isLast: boolean; readonly isNewest: boolean }) {
  const [query] = useQuery();
  const { session } = useApi();
  if (!isLast) return <p class="muted">None among the calls looked at so far. Older ones may fit.</p>;
  if (isFiltered(query)) {
    return (
      <EmptyState title="No call fits these filters.">
        <p class="muted">Take one away, or look further back.</p>
      </EmptyState>
    );
  }
  if (!isNewest) return <p class="muted">There are no older calls.</p>;
  return (
    <EmptyState
      title="No call has been recorded yet."
      command={firstCallCommand({ origin: location.origin, isOpen: session.open, prompt: null })}
    >
      <p class="muted">This makes the first one. It appears here within seconds.</p>
    </EmptyState>
  );
}

interface PagingProps {
  readonly list: GenerationList;
  readonly isNewest: boolean;
}

/** The cursor lives in the address: the browser's way back is the way to newer calls. */
function Paging({ list, isNewest }: PagingProps) {
  const { pathname, search } = usePlace();
  const to = (cursor: string | null): string => {
    const parameters = new URLSearchParams(search);
    parameters.delete('cursor');
    if (cursor !== null) parameters.set('cursor', cursor);
    const text = parameters.toString();
    return `${pathname}${text === '' ? '' : `?${text}`}`;
  };
  if (isNewest && list.next_cursor === null) return null;
  return (
    <nav class="row" aria-label="Pages">
      {!isNewest && <Link href={to(null)}>Newest calls</Link>}
      {list.next_cursor !== null && <Link href={to(list.next_cursor)}>Older calls</Link>}
      {list.searched_until !== null && (
        <span class="muted">
          Looked at calls down to <Time time={list.searched_until} />.
        </span>
      )}
    </nav>
  );
}
