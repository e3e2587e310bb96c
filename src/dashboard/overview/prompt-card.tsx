import type { OverviewPrompt } from '../api/wire-types.ts';
import { Link } from '../components/link.tsx';
import { Stat, StatList } from '../components/stat.tsx';
import { Verdict } from '../components/verdict.tsx';
import { formatCompact, formatShare, formatUsd } from '../format.ts';
import { pageHref } from '../match-path.ts';
import { IntervalPlot } from '../plot/interval-plot.tsx';
import { hasCalls } from './has-calls.ts';
import { promptAnswer } from './prompt-answer.ts';
import { servedText, targetText } from './served-text.ts';

/** One prompt: which version is better, how sure that is, and what it costs. */
export function PromptCard({ prompt }: { readonly prompt: OverviewPrompt }) {
  return (
    <section class="panel" aria-labelledby={`prompt-${prompt.prompt}`}>
      <div class="panel-heading">
        <h2 id={`prompt-${prompt.prompt}`}>
          <Link href={pageHref('/prompts/:name', { name: prompt.prompt })}>{prompt.prompt}</Link>
        </h2>
        <p>
          <span class="muted">Serves</span> <strong>{servedText(prompt.serves)}</strong>
          {prompt.labels.map(({ label, target }) => (
            <span key={label} class="muted">
              {' '}
              · @{label} → {targetText(target)}
            </span>
          ))}
        </p>
      </div>
      {prompt.serves.problem !== null && <p class="note note-error">{prompt.serves.problem}</p>}
      {hasCalls(prompt) ? <Numbers prompt={prompt} /> : <p class="muted">No call yet.</p>}
    </section>
  );
}

function Numbers({ prompt }: { readonly prompt: OverviewPrompt }) {
  const { generations, cost_usd: costUsd, error_share: errorShare, degraded_share: degradedShare } = prompt;
  const optimize = prompt.optimize ?? 'max';
  const answer = promptAnswer({
    versions: prompt.versions,
    baseline: prompt.baseline,
    optimize,
    isDescriptive: false,
  });
  const confidence = prompt.versions[0]?.confidence ?? 0.95;
  return (
    <>
      <Verdict tone={answer.tone} heading={answer.heading}>
        <p>{prompt.summary ?? 'No metric is declared, so nothing can be compared.'}</p>
        {isMissed(prompt, answer.winner) && (
          <p class="muted">
            Callers that name no version still get {prompt.serves.version}.{' '}
            <Link href={pageHref('/prompts/:name', { name: prompt.prompt })}>
              Look closer, or move a label
            </Link>
          </p>
        )}
      </Verdict>
      {prompt.metric !== null && prompt.scale !== null && prompt.versions.length > 0 && (
        <IntervalPlot
          caption={`Mean ${prompt.metric} of each version of ${prompt.prompt}`}
          rows={prompt.versions.map((version) => ({
            name: version.prompt_version,
            badges: <VersionBadges version={version} />,
            mean: version.mean,
            lower: version.lower,
            upper: version.upper,
            isBaseline: version.prompt_version === prompt.baseline,
            lift: version.lift,
          }))}
          scale={prompt.scale}
          confidence={confidence}
          optimize={optimize}
        />
      )}
      <StatList>
        <Stat
          label="Calls, 7 days"
          value={formatCompact(generations.last_7d)}
          note={`${formatCompact(generations.last_24h)} in 24 h`}
        />
        <Stat
          label="Cost, 7 days"
          value={formatUsd(costUsd.last_7d)}
          note={`${formatUsd(costUsd.last_24h)} in 24 h`}
        />
        <Stat
          label="Errors, 7 days"
          value={formatShare(errorShare.last_7d)}
          note={`${formatShare(errorShare.last_24h)} in 24 h`}
        />
        <Stat
          label="Authored lines, 7 days"
          value={formatShare(degradedShare.last_7d)}
          note={`${formatShare(degradedShare.last_24h)} in 24 h`}
        />
      </StatList>
      {prompt.experiments.length > 0 && (
        <p class="row">
          <span class="muted">Experiments</span>
          {prompt.experiments.map(({ experiment, state }) => (
            <span key={experiment}>
              <Link href={pageHref('/experiments/:name', { name: experiment })}>{experiment}</Link>{' '}
              <span class="badge">{state.replaceAll('_', ' ')}</span>
            </span>
          ))}
        </p>
      )}
    </>
  );
}

/** A version is certainly better than the one that callers get without asking. */
function isMissed({ serves }: OverviewPrompt, winner: string | null): boolean {
  return winner !== null && serves.version !== null && serves.version !== winner;
}

function VersionBadges({ version }: { readonly version: OverviewPrompt['versions'][number] }) {
  return (
    <>
      {/* Not "live": that is the name of a label, which may point elsewhere. */}
      {version.live && (
        <span
          class="badge badge-accent"
          title="The default, a label or a running experiment leads users to it"
        >
          in use
        </span>
      )}{' '}
      {version.retired && <span class="badge">retired</span>}{' '}
      {!version.known && <span class="badge badge-warning">not in the registry</span>}
    </>
  );
}
