import { useApi } from '../api/api-context.ts';
import type { Generation, GenerationOutcome } from '../api/generation-wire.ts';
import { REPORT_POLL_MS, useResource } from '../api/use-resource.ts';
import type { VersionReport } from '../api/wire-types.ts';
import { CodeBlock } from '../components/code-block.tsx';
import { type Column, DataTable } from '../components/data-table.tsx';
import { EmptyState } from '../components/empty-state.tsx';
import { Fact, Facts } from '../components/facts.tsx';
import { Link } from '../components/link.tsx';
import { PageHeading } from '../components/page-heading.tsx';
import { ResourceView } from '../components/resource-view.tsx';
import { Stat, StatList } from '../components/stat.tsx';
import { Time } from '../components/time.tsx';
import { formatCount, formatDurationMs, formatShare, formatUsd } from '../format.ts';
import { AttemptTable } from '../generations/attempt-table.tsx';
import { firstOutcomeCommand } from '../generations/first-call-command.ts';
import { RENDERED_MISSING, recordText, rewardText, valueText } from '../generations/generation-facts.ts';
import { MessageList } from '../generations/message-list.tsx';
import { StatusBadges } from '../generations/status-badge.tsx';
import { pageHref } from '../match-path.ts';
import type { PageProps } from '../page-props.ts';

/** One call whole. Outcomes come later than the call, so it is read again while somebody looks. */
export function GenerationPage({ parameters }: PageProps) {
  const id = parameters['id'] ?? '';
  const resource = useResource<Generation>(`/generations/${encodeURIComponent(id)}`, {
    pollMs: REPORT_POLL_MS,
  });
  return (
    <>
      <PageHeading title="Call" above={<Link href={pageHref('/generations')}>Generations</Link>}>
        <code>{id}</code>
      </PageHeading>
      <ResourceView resource={resource} what="the call">
        {(call) => (
          <>
            <Summary call={call} />
            <div class="columns">
              <Sent call={call} />
              <Answered call={call} />
            </div>
            <Outcomes call={call} />
            <Attempts call={call} />
            <div class="columns">
              <Origin call={call} />
              <Timing call={call} />
            </div>
            <details class="panel">
              <summary>Everything recorded, as JSON</summary>
              <CodeBlock label="The call as JSON" text={recordText(call)} />
            </details>
          </>
        )}
      </ResourceView>
    </>
  );
}

function Summary({ call }: { readonly call: Generation }) {
  return (
    <section class="panel" aria-label="Summary">
      <StatusBadges call={call} />
      <StatList>
        <Stat
          label="When"
          value={<Time time={call.created_at} isAge />}
          note={<Time time={call.created_at} />}
        />
        <Stat label="Latency" value={formatDurationMs(call.total_ms)} />
        <Stat
          label="Cost"
          value={formatUsd(call.cost_usd)}
          note={call.cost_usd === null && 'price not known'}
        />
        <Stat
          label="Tokens"
          value={formatCount(sumOrNull(call.input_tokens, call.output_tokens))}
          note={`${formatCount(call.input_tokens)} in, ${formatCount(call.output_tokens)} out`}
        />
        <Stat label="Model" value={call.model ?? '–'} note={call.provider ?? undefined} />
      </StatList>
    </section>
  );
}

function Sent({ call }: { readonly call: Generation }) {
  const { rendered, rendered_missing: missing } = call;
  return (
    <section class="panel">
      <h2>What the model was sent</h2>
      {rendered == null ? (
        <p class="note">
          {missing == null ? 'The messages of this call are not recorded.' : RENDERED_MISSING[missing]}
        </p>
      ) : (
        <>
          {rendered.source === 'reconstructed' && (
            <p class="muted">Rendered again from the recorded variables, with the version of the call.</p>
          )}
          <MessageList messages={rendered.messages} />
        </>
      )}
      {call.variables !== null && (
        <details>
          <summary>Variables</summary>
          <CodeBlock label="Variables" text={recordText(call.variables)} />
        </details>
      )}
      {call.profile_features !== null && (
        <details>
          <summary>Profile features</summary>
          <CodeBlock label="Profile features" text={recordText(call.profile_features)} />
        </details>
      )}
      {Object.keys(call.parameters).length > 0 && (
        <details>
          <summary>Parameters of the model</summary>
          <CodeBlock label="Parameters" text={recordText(call.parameters)} />
        </details>
      )}
    </section>
  );
}

function Answered({ call }: { readonly call: Generation }) {
  return (
    <section class="panel">
      <h2>What came back</h2>
      {call.text === null || call.text === '' ? (
        <p class="note">
          {call.status === 'ok'
            ? 'No text.'
            : `No text: the call ended as ${call.error_code ?? call.status}.`}
        </p>
      ) : (
        <div class="message">
          <div class="message-text">{call.text}</div>
        </div>
      )}
      {call.output !== null && call.output !== undefined && (
        <>
          <h3>Structured output</h3>
          <CodeBlock label="Structured output" text={recordText(call.output)} />
        </>
      )}
      {call.tool_calls.length > 0 && (
        <>
          <h3>Calls of tools</h3>
          <CodeBlock label="Calls of tools" text={recordText(call.tool_calls)} />
        </>
      )}
      <p class="muted">Finish reason: {call.finish_reason ?? 'none'}.</p>
    </section>
  );
}

const OUTCOME_COLUMNS: readonly Column<GenerationOutcome>[] = [
  { key: 'metric', title: 'Metric', isHeading: true, cell: ({ metric }) => metric },
  { key: 'value', title: 'Value', cell: ({ value }) => <code>{valueText(value)}</code> },
  { key: 'reward', title: 'Reward', isNumber: true, cell: ({ reward }) => rewardText(reward) },
  { key: 'counts', title: 'Counts', cell: (outcome) => <Counting outcome={outcome} /> },
  {
    key: 'occurred',
    title: 'Happened',
    cell: ({ occurred_at, received_at }) => <Time time={occurred_at ?? received_at} />,
  },
  { key: 'received', title: 'Received', cell: ({ received_at }) => <Time time={received_at} /> },
  { key: 'from', title: 'Sent by', cell: ({ source, api_key_id }) => `${source}, ${api_key_id}` },
  { key: 'id', title: 'Outcome id', cell: ({ outcome_id }) => <code>{outcome_id}</code> },
];

function Counting({ outcome }: { readonly outcome: GenerationOutcome }) {
  if (outcome.voided) return <span class="badge">withdrawn</span>;
  if (outcome.counts) return <span class="badge badge-good">counts</span>;
  return <span class="badge">{outcome.test ? 'test' : 'superseded'}</span>;
}

function Outcomes({ call }: { readonly call: Generation }) {
  return (
    <section class="panel">
      <h2>Outcomes</h2>
      {call.outcomes.length === 0 ? (
        <NoOutcome call={call} />
      ) : (
        <DataTable
          caption="Outcomes of this call"
          isCaptionHidden
          columns={OUTCOME_COLUMNS}
          rows={call.outcomes}
          rowKey={({ api_key_id, outcome_id }) => `${api_key_id} ${outcome_id}`}
        />
      )}
    </section>
  );
}

function NoOutcome({ call }: { readonly call: Generation }) {
  const { session } = useApi();
  const path = call.prompt === null ? null : `/analytics/prompts/${encodeURIComponent(call.prompt)}/versions`;
  // For the prompt's own metric, and a value that it takes.
  const { data } = useResource<VersionReport>(path, { pollMs: 0 });
  const title = 'No outcome has been reported.';
  if (data === null) return <p class="muted">{title}</p>;
  return (
    <EmptyState
      title={title}
      command={firstOutcomeCommand({
        origin: location.origin,
        isOpen: session.open,
        generationId: call.id,
        metric: data.metric,
        value: data.example_value,
      })}
    >
      <p class="muted">This reports the first one, for the metric of the prompt.</p>
    </EmptyState>
  );
}

function Attempts({ call }: { readonly call: Generation }) {
  return (
    <section class="panel">
      <h2>Attempts</h2>
      {call.attempts.length === 0 ? (
        <p class="muted">No provider was called.</p>
      ) : (
        <AttemptTable attempts={call.attempts} />
      )}
    </section>
  );
}

function Origin({ call }: { readonly call: Generation }) {
  const propensities = Object.entries(call.propensities ?? {});
  return (
    <section class="panel">
      <h2>Which prompt, and why</h2>
      <Facts>
        <Fact name="Prompt">
          {call.prompt === null ? (
            'none: the messages were passed through'
          ) : (
            <Link href={versionHref(call.prompt, call.prompt_version)}>
              {call.prompt} {call.prompt_version}
            </Link>
          )}
        </Fact>
        {call.prompt_hash !== null && (
          <Fact name="Content hash">
            <code>{call.prompt_hash}</code>
          </Fact>
        )}
        <Fact name="Version named by">{SOURCES[call.version_source ?? ''] ?? 'nobody'}</Fact>
        {call.label !== null && <Fact name="Label">@{call.label}</Fact>}
        {call.experiment !== null && (
          <Fact name="Experiment">
            <Link href={pageHref('/experiments/:name', { name: call.experiment })}>{call.experiment}</Link>,
            arm {call.arm ?? '–'}
          </Fact>
        )}
        {call.propensity !== null && <Fact name="Propensity">{formatShare(call.propensity)}</Fact>}
        {propensities.length > 0 && (
          <Fact name="Of all arms">
            {propensities.map(([arm, share]) => `${arm} ${formatShare(share)}`).join(', ')}
          </Fact>
        )}
        {call.shadow_of !== null && (
          <Fact name="Shadow of">
            <Link href={pageHref('/generations/:id', { id: call.shadow_of })}>{call.shadow_of}</Link>
          </Fact>
        )}
      </Facts>
    </section>
  );
}

const SOURCES: Readonly<Record<string, string>> = {
  body: 'the call itself, or the experiment it led to',
  env: 'the environment (DEFAULT_PROMPT_VERSION)',
  default: 'the default of the configuration',
};

function versionHref(prompt: string, version: string | null): string {
  const href = pageHref('/prompts/:name', { name: prompt });
  return version === null ? href : `${href}?version=${encodeURIComponent(version)}`;
}

function Timing({ call }: { readonly call: Generation }) {
  return (
    <section class="panel">
      <h2>Timing and origin</h2>
      <Facts>
        <Fact name="Provider, with waiting">{formatDurationMs(call.provider_ms)}</Fact>
        <Fact name="First token">
          {call.first_token_ms === null ? 'not streamed' : formatDurationMs(call.first_token_ms)}
        </Fact>
        <Fact name="Gateway itself">{formatDurationMs(call.overhead_ms)}</Fact>
        <Fact name="Waited for the ledger">{formatDurationMs(call.commit_wait_ms)}</Fact>
        <Fact name="Surface">{call.surface === 'chat' ? '/v1/chat/completions' : '/generate'}</Fact>
        <Fact name="Key">
          <code>{call.api_key_id}</code>
        </Fact>
        <Fact name="External id">{call.external_id ?? '–'}</Fact>
        <Fact name="Request">
          <code>{call.request_id}</code>
        </Fact>
        {call.tags.length > 0 && <Fact name="Tags">{call.tags.join(', ')}</Fact>}
      </Facts>
      {call.metadata !== null && (
        <details>
          <summary>Metadata</summary>
          <CodeBlock label="Metadata" text={recordText(call.metadata)} />
        </details>
      )}
    </section>
  );
}

function sumOrNull(a: number | null, b: number | null): number | null {
  return a === null && b === null ? null : (a ?? 0) + (b ?? 0);
}
