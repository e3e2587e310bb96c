import { useApi } from '../api/api-context.ts';
import { REPORT_POLL_MS, STATE_POLL_MS, useResource } from '../api/use-resource.ts';
import type { Prompt, VersionReport } from '../api/wire-types.ts';
import { EmptyState } from '../components/empty-state.tsx';
import { Link } from '../components/link.tsx';
import { PageHeading } from '../components/page-heading.tsx';
import { ResourceView } from '../components/resource-view.tsx';
import { Verdict } from '../components/verdict.tsx';
import { firstCallCommand } from '../generations/first-call-command.ts';
import { pageHref } from '../match-path.ts';
import { promptAnswer } from '../overview/prompt-answer.ts';
import { targetText } from '../overview/served-text.ts';
import type { PageProps } from '../page-props.ts';
import { IntervalPlot } from '../plot/interval-plot.tsx';
import type { ValueLimits } from '../plot/value-range.ts';
import { costText } from '../prompt/cost-text.ts';
import { evidenceText } from '../prompt/evidence-text.ts';
import { LabelsPanel } from '../prompt/labels-panel.tsx';
import { OverTime } from '../prompt/over-time.tsx';
import { ReportFilters } from '../prompt/report-filters.tsx';
import { reportCsvPath, reportPath, seriesPath } from '../prompt/report-query.ts';
import { VersionPanel } from '../prompt/version-panel.tsx';
import { VersionTable } from '../prompt/version-table.tsx';
import { useQuery } from '../router.ts';

/** One prompt: the answer first, then what it rests on, then the versions themselves. */
export function PromptPage({ parameters }: PageProps) {
  const name = parameters['name'] ?? '';
  const [query] = useQuery();
  const nowMs = Date.now();
  const prompt = useResource<Prompt>(`/prompts/${encodeURIComponent(name)}`, { pollMs: STATE_POLL_MS });
  const report = useResource<VersionReport>(reportPath(name, query, nowMs), {
    pollMs: REPORT_POLL_MS,
    keepsLast: true,
  });
  return (
    <>
      <PageHeading title={name} above={<Link href={pageHref('/')}>Prompts</Link>}>
        <p class="row">
          <Link href={`${pageHref('/generations')}?${new URLSearchParams({ prompt: name })}`}>Calls</Link>
          <a href={reportCsvPath(name, query, nowMs)} download>
            Report as CSV
          </a>
        </p>
      </PageHeading>
      <ResourceView resource={prompt} what="the prompt">
        {(family) => (
          <>
            {report.data !== null && (
              <div class={report.isLoading ? 'outdated' : undefined}>
                <Answer report={report.data} family={family} />
              </div>
            )}
            <ReportFilters report={report.data} />
            <ResourceView resource={report} what="the report">
              {(data) => <Report report={data} family={family} />}
            </ResourceView>
            <OverTime
              path={seriesPath(name, query, nowMs)}
              versions={report.data?.versions.map(({ prompt_version }) => prompt_version) ?? []}
              scale={report.data?.scale ?? UNBOUNDED}
            />
            <LabelsPanel prompt={family} onMoved={prompt.reload} />
            <VersionPanel prompt={family} />
          </>
        )}
      </ResourceView>
    </>
  );
}

/** Until the report says what the metric may take. */
const UNBOUNDED: ValueLimits = { min: null, max: null };

interface ReportProps {
  readonly report: VersionReport;
  readonly family: Prompt;
}

function Answer({ report, family }: ReportProps) {
  const answer = promptAnswer({ ...report, isDescriptive: report.evidence === 'descriptive' });
  const labels = family.labels.map(({ label, target }) => `@${label} is ${targetText(target)}`);
  const cost = costText(report);
  return (
    <Verdict tone={answer.tone} heading={answer.heading}>
      <p>{report.summary}</p>
      <p class="muted">
        {[evidenceText(report), cost, labels.length === 0 ? null : `${labels.join(', ')}.`]
          .filter((text) => text !== null)
          .join(' ')}
      </p>
    </Verdict>
  );
}

function Report({ report, family }: ReportProps) {
  if (report.versions.every(({ generations }) => generations === 0)) {
    return <FirstCall report={report} />;
  }
  return (
    <>
      {report.warnings.length > 0 && (
        <ul class="note note-warning note-list" aria-label="Warnings">
          {report.warnings.map(({ code, prompt_version, message }) => (
            <li key={`${code} ${prompt_version}`}>{message}</li>
          ))}
        </ul>
      )}
      <section class="panel" aria-labelledby="means-title">
        <div class="panel-heading">
          <h2 id="means-title">Mean {report.metric}</h2>
          <p class="muted">{report.optimize === 'max' ? 'More is better' : 'Less is better'}</p>
        </div>
        <IntervalPlot
          caption={`Mean ${report.metric} of each version`}
          rows={report.versions.map((version) => ({
            name: version.prompt_version,
            badges: <VersionBadges version={version} family={family} />,
            mean: version.mean,
            lower: version.lower,
            upper: version.upper,
            isBaseline: version.prompt_version === report.baseline,
            lift: version.lift,
          }))}
          scale={report.scale}
          confidence={report.versions[0]?.confidence ?? 0.95}
          optimize={report.optimize}
        />
      </section>
      <section class="panel">
        <VersionTable report={report} />
      </section>
    </>
  );
}

interface VersionBadgesProps {
  readonly version: VersionReport['versions'][number];
  readonly family: Prompt;
}

function VersionBadges({ version, family }: VersionBadgesProps) {
  const labels = family.labels.filter(
    ({ target }) => 'version' in target && target.version === version.prompt_version,
  );
  return (
    <>
      {labels.map(({ label }) => (
        <span key={label} class="badge badge-accent">
          @{label}
        </span>
      ))}{' '}
      {version.retired && <span class="badge">retired</span>}{' '}
      {!version.known && <span class="badge badge-warning">not in the registry</span>}
    </>
  );
}

function FirstCall({ report }: { readonly report: VersionReport }) {
  const { session } = useApi();
  if (report.evidence === 'descriptive') {
    return <EmptyState title="No call in this window with these filters" />;
  }
  const command = firstCallCommand({
    origin: location.origin,
    isOpen: session.open,
    prompt: report.prompt,
  });
  return (
    <EmptyState title="No call of this prompt has been recorded yet" command={command}>
      <p>Report what came of it with POST /feedback, and its reward appears here.</p>
    </EmptyState>
  );
}
