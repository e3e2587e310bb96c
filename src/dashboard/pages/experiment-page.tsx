import type {
  ExperimentHistory,
  ExperimentReport,
  GatedLabel,
  RolloutEvent,
  ShadowReport,
  ShadowRule,
} from '../api/experiment-wire.ts';
import { REPORT_POLL_MS, STATE_POLL_MS, useResource } from '../api/use-resource.ts';
import { EmptyState } from '../components/empty-state.tsx';
import { Fact, Facts } from '../components/facts.tsx';
import { Link } from '../components/link.tsx';
import { PageHeading } from '../components/page-heading.tsx';
import { ResourceView } from '../components/resource-view.tsx';
import { Time } from '../components/time.tsx';
import { Verdict } from '../components/verdict.tsx';
import { ArmTable } from '../experiments/arm-table.tsx';
import { EvidencePlot } from '../experiments/evidence-plot.tsx';
import { ExperimentActions } from '../experiments/experiment-actions.tsx';
import {
  gateText,
  policyText,
  sampleRatioText,
  stateBadge,
  unitWord,
  verdictWords,
} from '../experiments/experiment-words.ts';
import { GuardrailPanel } from '../experiments/guardrail-panel.tsx';
import { RolloutTable } from '../experiments/rollout-table.tsx';
import { WeightsPlot } from '../experiments/weights-plot.tsx';
import { WhatIf } from '../experiments/what-if.tsx';
import { formatShare } from '../format.ts';
import { pageHref } from '../match-path.ts';
import type { PageProps } from '../page-props.ts';
import { IntervalPlot } from '../plot/interval-plot.tsx';

/** One experiment: what it has shown, how sure that is, and what to do now. */
export function ExperimentPage({ parameters }: PageProps) {
  const name = parameters['name'] ?? '';
  const path = `/analytics/experiments/${encodeURIComponent(name)}`;
  const report = useResource<ExperimentReport>(path, { pollMs: REPORT_POLL_MS });
  const prompt = report.data?.prompt;
  const labels = useResource<{ readonly labels: readonly GatedLabel[] }>(
    prompt === undefined ? null : `/prompts/${encodeURIComponent(prompt)}/labels`,
    { pollMs: STATE_POLL_MS },
  );
  const refresh = (): void => {
    report.reload();
    labels.reload();
  };
  const badge = report.data === null ? null : stateBadge(report.data.state);
  return (
    <>
      <PageHeading title={name} above={<Link href={pageHref('/experiments')}>Experiments</Link>}>
        {badge !== null && <span class={badge[0]}>{badge[1]}</span>}
        {badge !== null && (
          <a class="far" href={`${path}?format=csv`} download={`${name}-arms.csv`}>
            CSV
          </a>
        )}
      </PageHeading>
      <ResourceView resource={report} what="the report">
        {(data) => (
          <>
            <Answer report={data} />
            <ExperimentActions report={data} labels={labels.data?.labels ?? []} onChanged={refresh} />
            <Arms report={data} />
            <Evidence report={data} path={path} />
            <section class="panel">
              <h2>Chances over time</h2>
              <WeightsPlot
                revisions={data.policy_revisions}
                arms={data.arms.map(({ arm }) => arm)}
                until={data.generated_at}
              />
            </section>
            <WhatIf report={data} />
            <section class="panel">
              <h2>Guardrails</h2>
              <GuardrailPanel guardrails={data.guardrails} />
            </section>
            <Shadows prompt={data.prompt} />
            <History report={data} labels={labels.data?.labels ?? []} />
            <Definition report={data} />
          </>
        )}
      </ResourceView>
    </>
  );
}

function Answer({ report }: { readonly report: ExperimentReport }) {
  const [tone, heading] = verdictWords(report.verdict.state);
  const { stopped } = report;
  return (
    <>
      <Verdict tone={tone} heading={heading}>
        {report.verdict.text}
      </Verdict>
      {stopped !== null && (
        <div class="note note-warning">
          <p class="note-title">
            Stopped by {stopped.guardrail === null ? stopped.actor : `the guardrail ${stopped.guardrail}`},{' '}
            <Time time={stopped.at} />
          </p>
          <p>{stopped.reason}</p>
        </div>
      )}
      <p class={`note${report.sample_ratio.alarm ? ' note-error' : ''}`}>{sampleRatioText(report)}</p>
      {report.warnings.length > 0 && (
        <ul class="note note-warning note-list">
          {report.warnings.map(({ code, arm, message }) => (
            <li key={`${code} ${arm}`}>{message}</li>
          ))}
        </ul>
      )}
    </>
  );
}

function Arms({ report }: { readonly report: ExperimentReport }) {
  const [first] = report.arms;
  return (
    <section class="panel">
      <div class="panel-heading">
        <h2>{report.metric} by arm</h2>
        <p class="muted">
          One reward for each of the {unitWord(report.unit)}; {report.optimize === 'max' ? 'more' : 'less'} is
          better.
        </p>
      </div>
      <IntervalPlot
        caption={`Mean ${report.metric} of each arm with its interval`}
        nameTitle="Arm"
        rows={report.arms.map((arm) => ({
          name: arm.arm,
          mean: arm.mean,
          lower: arm.lower,
          upper: arm.upper,
          isBaseline: arm.arm === report.baseline,
          lift: arm.difference,
        }))}
        scale={report.scale}
        confidence={first?.confidence ?? 0.95}
        optimize={report.optimize}
      />
      <ArmTable report={report} />
    </section>
  );
}

/** A line over days looks the same after seconds. */
const HISTORY_POLL_MS = 30_000;

function Evidence({ report, path }: { readonly report: ExperimentReport; readonly path: string }) {
  const history = useResource<ExperimentHistory>(`${path}/history`, { pollMs: HISTORY_POLL_MS });
  return (
    <section class="panel">
      <h2>Evidence over time</h2>
      <ResourceView resource={history} what="the history">
        {(data) => <EvidencePlot history={data} arms={report.arms.map(({ arm }) => arm)} />}
      </ResourceView>
    </section>
  );
}

function Shadows({ prompt }: { readonly prompt: string }) {
  const list = useResource<{ readonly shadow: readonly ShadowRule[] }>('/analytics/shadow', {
    pollMs: REPORT_POLL_MS,
  });
  const rules = list.data?.shadow.filter((rule) => rule.prompt === prompt) ?? [];
  if (rules.length === 0) return null;
  return (
    <section class="panel">
      <h2>Candidates in shadow</h2>
      {rules.map((rule) => (
        <Shadow key={rule.shadow} name={rule.shadow} />
      ))}
    </section>
  );
}

function Shadow({ name }: { readonly name: string }) {
  const report = useResource<ShadowReport>(`/analytics/shadow/${encodeURIComponent(name)}`, {
    pollMs: REPORT_POLL_MS,
  });
  return (
    <div class="stack">
      <h3>{name}</h3>
      <ResourceView resource={report} what="the comparison">
        {({ summary }) => <p>{summary}</p>}
      </ResourceView>
    </div>
  );
}

interface HistoryProps {
  readonly report: ExperimentReport;
  readonly labels: readonly GatedLabel[];
}

/** Most events that the page shows; the rest is behind `/analytics/rollouts`. */
const SHOWN_EVENTS = 20;

function History({ report, labels }: HistoryProps) {
  const query = new URLSearchParams({ subject: report.experiment, limit: String(SHOWN_EVENTS) });
  const events = useResource<{ readonly rollouts: readonly RolloutEvent[] }>(`/analytics/rollouts?${query}`, {
    pollMs: STATE_POLL_MS,
  });
  const pointing = labels.filter(
    ({ target }) => 'experiment' in target && target.experiment === report.experiment,
  );
  return (
    <section class="panel">
      <h2>Rollout</h2>
      {labels.length > 0 && pointing.length === 0 && (
        <p class="note">
          No label leads to this experiment now, so no new call enters it by a label. Point one here on the
          page of <Link href={pageHref('/prompts/:name', { name: report.prompt })}>{report.prompt}</Link>.
        </p>
      )}
      {pointing.map((label) => (
        <p key={label.label}>
          <code>@{label.label}</code> leads here since <Time time={label.moved_at} />: {label.reason}.{' '}
          <span class="muted">At that move {gateText(label.gate)}.</span>
        </p>
      ))}
      <ResourceView resource={events} what="the history">
        {({ rollouts }) =>
          rollouts.length === 0 ? (
            <EmptyState title="Nothing was decided about it yet." />
          ) : (
            <RolloutTable events={rollouts} />
          )
        }
      </ResourceView>
    </section>
  );
}

function Definition({ report }: { readonly report: ExperimentReport }) {
  return (
    <section class="panel">
      <h2>Definition</h2>
      <Facts>
        <Fact name="Prompt">
          <Link href={pageHref('/prompts/:name', { name: report.prompt })}>{report.prompt}</Link>
        </Fact>
        <Fact name="Assigns by">
          {policyText(report.policy)}; no arm below {formatShare(report.floor)}
        </Fact>
        <Fact name="Baseline">{report.baseline}</Fact>
        <Fact name="Silence">
          {report.missing === 'zero' ? 'counts as 0' : 'is left out'}; a reward may come for{' '}
          {report.attribution_window_hours} h
        </Fact>
        <Fact name="Runs">
          from {report.start === null ? 'its definition' : <Time time={report.start} />} until{' '}
          {report.stop === null ? 'somebody ends it' : <Time time={report.stop} />}
        </Fact>
        <Fact name="Revision">
          <code>{report.revision}</code>
        </Fact>
        <Fact name="Calls">
          <Link href={`${pageHref('/generations')}?experiment=${encodeURIComponent(report.experiment)}`}>
            every recorded call of it
          </Link>
        </Fact>
      </Facts>
    </section>
  );
}
