import { useApi } from '../api/api-context.ts';
import { REPORT_POLL_MS, useResource } from '../api/use-resource.ts';
import type { Overview, OverviewPrompt } from '../api/wire-types.ts';
import { EmptyState } from '../components/empty-state.tsx';
import { PageHeading } from '../components/page-heading.tsx';
import { ResourceView } from '../components/resource-view.tsx';
import { firstCallCommand } from '../generations/first-call-command.ts';
import { AttentionList } from '../overview/attention-list.tsx';
import { hasCalls } from '../overview/has-calls.ts';
import { PromptCard } from '../overview/prompt-card.tsx';
import type { PageProps } from '../page-props.ts';

/** The first screen: which version of each prompt is better, how sure that is, what it costs, and what is wrong. */
export function OverviewPage(_props: PageProps) {
  const overview = useResource<Overview>('/analytics/overview', { pollMs: REPORT_POLL_MS });
  return (
    <>
      <PageHeading title="Overview">
        {overview.data?.attention.length === 0 && <p class="badge badge-good">Nothing needs attention</p>}
      </PageHeading>
      <ResourceView resource={overview} what="the overview">
        {({ attention, prompts }) => (
          <>
            {attention.length > 0 && <AttentionList items={attention} />}
            {!prompts.some(hasCalls) && <FirstCall />}
            {busiestFirst(prompts).map((prompt) => (
              <PromptCard key={prompt.prompt} prompt={prompt} />
            ))}
          </>
        )}
      </ResourceView>
    </>
  );
}

function FirstCall() {
  const { session } = useApi();
  const command = firstCallCommand({ origin: location.origin, isOpen: session.open, prompt: null });
  return (
    <EmptyState title="No call has been recorded yet" command={command}>
      <p>The first one makes the first row.</p>
    </EmptyState>
  );
}

/** Prompts that were called before, by name as they come, ahead of those that never were. */
function busiestFirst(prompts: readonly OverviewPrompt[]): readonly OverviewPrompt[] {
  return [...prompts].sort((a, b) => Number(hasCalls(b)) - Number(hasCalls(a)));
}
