import type { ExperimentSummary } from '../api/experiment-wire.ts';
import { REPORT_POLL_MS, useResource } from '../api/use-resource.ts';
import { CodeBlock } from '../components/code-block.tsx';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Link } from '../components/link.tsx';
import { PageHeading } from '../components/page-heading.tsx';
import { ResourceView } from '../components/resource-view.tsx';
import { policyText, stateBadge } from '../experiments/experiment-words.ts';
import { pageHref } from '../match-path.ts';
import type { PageProps } from '../page-props.ts';

const COLUMNS: readonly Column<ExperimentSummary>[] = [
  {
    key: 'name',
    title: 'Experiment',
    isHeading: true,
    cell: ({ experiment }) => (
      <Link href={pageHref('/experiments/:name', { name: experiment })}>{experiment}</Link>
    ),
  },
  {
    key: 'state',
    title: 'State',
    cell: ({ state }) => {
      const [className, text] = stateBadge(state);
      return <span class={className}>{text}</span>;
    },
  },
  {
    key: 'prompt',
    title: 'Prompt',
    cell: ({ prompt }) => <Link href={pageHref('/prompts/:name', { name: prompt })}>{prompt}</Link>,
  },
  {
    key: 'arms',
    title: 'Arms',
    cell: ({ arms, baseline }) =>
      arms
        .map(({ arm, prompt_version: version }) => {
          const text = arm === version ? arm : `${arm} (${version})`;
          return arm === baseline ? `${text}, the baseline` : text;
        })
        .join('; '),
  },
  { key: 'metric', title: 'Metric', cell: ({ metric }) => metric },
  { key: 'policy', title: 'Assigns by', cell: ({ policy }) => policyText(policy) },
];

const EXAMPLE = JSON.stringify(
  {
    experiments: {
      'tip-voice': {
        prompt: 'tip',
        arms: { plain: { version: 'v1' }, warm: { version: 'v2' } },
        policy: { kind: 'thompson' },
        metric: 'completed',
      },
    },
  },
  null,
  2,
);

/** Every configured experiment. */
export function ExperimentsPage(_props: PageProps) {
  const list = useResource<{ readonly experiments: readonly ExperimentSummary[] }>('/analytics/experiments', {
    pollMs: REPORT_POLL_MS,
  });
  return (
    <>
      <PageHeading title="Experiments" />
      <ResourceView resource={list} what="the experiments">
        {({ experiments }) =>
          experiments.length === 0 ? (
            <NoExperiment />
          ) : (
            <section class="panel" aria-label="Experiments">
              <DataTable
                caption="Configured experiments"
                isCaptionHidden
                columns={COLUMNS}
                rows={experiments}
                rowKey={({ experiment }) => experiment}
              />
            </section>
          )
        }
      </ResourceView>
    </>
  );
}

function NoExperiment() {
  return (
    <div class="empty-state">
      <p class="empty-title">No experiment is configured.</p>
      <p class="muted">
        An experiment gives each user one version and learns which earns more. Add one to gateway.config.json
        (the running gateway takes it up), then point a label at it:
      </p>
      <CodeBlock label="Example of an experiment in gateway.config.json" text={EXAMPLE} />
      <CodeBlock
        label="Command that points a label at the experiment"
        text={`npx prompt-gateway labels set tip live --experiment tip-voice --reason "find the better voice"`}
      />
    </div>
  );
}
