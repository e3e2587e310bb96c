import { REPORT_POLL_MS, useResource } from '../api/use-resource.ts';
import type { Overview } from '../api/wire-types.ts';
import { EmptyState } from '../components/empty-state.tsx';
import { PageHeading } from '../components/page-heading.tsx';
import { ResourceView } from '../components/resource-view.tsx';
import { AttentionList } from '../overview/attention-list.tsx';
import { PromptCard } from '../overview/prompt-card.tsx';
import type { PageProps } from '../page-props.ts';

/** The first screen: which version of each prompt is better, how sure that is, what it costs, and what is wrong. */
export function OverviewPage(_props: PageProps) {
  const overview = useResource<Overview>('/analytics/overview', { pollMs: REPORT_POLL_MS });
  return (
    <>
      <PageHeading title="Overview" />
      <ResourceView resource={overview} what="the overview">
        {({ attention, prompts }) => (
          <>
            {attention.length > 0 && <AttentionList items={attention} />}
            {prompts.every(({ versions }) => versions.every(({ generations }) => generations === 0)) && (
              <FirstCall prompt={prompts[0]?.prompt ?? 'tip'} />
            )}
            {prompts.map((prompt) => (
              <PromptCard key={prompt.prompt} prompt={prompt} />
            ))}
          </>
        )}
      </ResourceView>
    </>
  );
}

function FirstCall({ prompt }: { readonly prompt: string }) {
  const body = JSON.stringify({ prompt, external_id: `${prompt}-1` });
  return (
    <EmptyState
      title="No call has been recorded yet"
      command={`curl -s ${location.origin}/generate -H 'Content-Type: application/json' -d '${body}'`}
    >
      <p>The first one makes the first row. With keys, add -H "Authorization: Bearer pgw_…".</p>
    </EmptyState>
  );
}
