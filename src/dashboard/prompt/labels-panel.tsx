import { useState } from 'preact/hooks';
import { useScope } from '../api/api-context.ts';
import { REPORT_POLL_MS, STATE_POLL_MS, useResource } from '../api/use-resource.ts';
import type { Label, LabelTarget, Prompt } from '../api/wire-types.ts';
import { DataTable } from '../components/data-table.tsx';
import { EmptyState } from '../components/empty-state.tsx';
import { ResourceView } from '../components/resource-view.tsx';
import { Time } from '../components/time.tsx';
import { targetText } from '../overview/served-text.ts';
import { MoveLabelDialog } from './move-label-dialog.tsx';

interface ExperimentList {
  readonly experiments: readonly { readonly experiment: string; readonly prompt: string }[];
}

interface LabelsPanelProps {
  readonly prompt: Prompt;
  readonly onMoved: () => void;
}

/** Where the labels point, and, for admins, moving them. */
export function LabelsPanel({ prompt, onMoved }: LabelsPanelProps) {
  const list = useResource<ExperimentList>('/analytics/experiments', { pollMs: REPORT_POLL_MS });
  const experiments = (list.data?.experiments ?? [])
    .filter((experiment) => experiment.prompt === prompt.name)
    .map(({ experiment }) => experiment);
  return (
    <section class="panel" aria-labelledby="labels-title">
      <h2 id="labels-title">Labels</h2>
      {prompt.labels.length === 0 && <NoLabel prompt={prompt} />}
      {prompt.labels.map((label) => (
        <LabelRow
          key={label.label}
          label={label}
          prompt={prompt}
          experiments={experiments}
          onMoved={onMoved}
        />
      ))}
    </section>
  );
}

interface Asking {
  readonly target: LabelTarget;
  readonly isRollback: boolean;
  /** As it was when the reader decided: a move in between refuses this one. */
  readonly seen: Label;
}

interface LabelRowProps extends LabelsPanelProps {
  readonly label: Label;
  /** Of this prompt. */
  readonly experiments: readonly string[];
}

function LabelRow({ label, prompt, experiments, onMoved }: LabelRowProps) {
  const mayMove = useScope('admin');
  const [asking, setAsking] = useState<Asking | null>(null);
  const [isHistoryOpen, setIsHistoryOpen] = useState(false);
  const current = targetText(label.target);
  const [chosen, setChosen] = useState('');
  const targets = [
    ...prompt.versions.filter(({ retired }) => !retired).map(({ version }) => ({ version })),
    ...experiments.map((experiment) => ({ experiment })),
  ].filter((target) => targetText(target) !== current);
  const target =
    targets.find((candidate) => targetText(candidate) === chosen) ??
    targets.findLast((candidate) => 'version' in candidate) ??
    targets.at(0);
  return (
    <article class="label-row" aria-label={`Label ${label.label}`}>
      <p class="row">
        <code class="label-name">@{label.label}</code>
        <span aria-hidden="true">→</span>
        <strong>{current}</strong>
        <span class="muted">
          since <Time time={label.moved_at} /> by {label.actor}: {label.reason}
        </span>
      </p>
      {mayMove && (
        <div class="row">
          {target !== undefined && (
            <>
              <label class="row">
                <span class="muted">Move to</span>
                <select
                  class="select-short"
                  value={targetText(target)}
                  onChange={(event) => setChosen(event.currentTarget.value)}
                >
                  {targets.map((candidate) => (
                    <option key={targetText(candidate)} value={targetText(candidate)}>
                      {targetText(candidate)}
                    </option>
                  ))}
                </select>
              </label>
              <button type="button" onClick={() => setAsking({ target, isRollback: false, seen: label })}>
                Move…
              </button>
            </>
          )}
          {label.previous !== null && (
            <RollbackButton label={label} previous={label.previous} onAsk={setAsking} />
          )}
        </div>
      )}
      <details onToggle={(event) => setIsHistoryOpen(event.currentTarget.open)}>
        <summary>History of @{label.label}</summary>
        {isHistoryOpen && <History label={label} />}
      </details>
      {asking !== null && (
        <MoveLabelDialog
          label={asking.seen}
          target={asking.target}
          isRollback={asking.isRollback}
          onMoved={onMoved}
          onClose={() => setAsking(null)}
        />
      )}
    </article>
  );
}

interface RollbackButtonProps {
  readonly label: Label;
  readonly previous: LabelTarget;
  readonly onAsk: (asking: Asking) => void;
}

function RollbackButton({ label, previous, onAsk }: RollbackButtonProps) {
  return (
    <button type="button" onClick={() => onAsk({ target: previous, isRollback: true, seen: label })}>
      Roll back to {targetText(previous)}…
    </button>
  );
}

function History({ label }: { readonly label: Label }) {
  const path = `/prompts/${encodeURIComponent(label.prompt)}/labels/${encodeURIComponent(label.label)}?limit=50`;
  const resource = useResource<Label & { readonly history: readonly Label[] }>(path, {
    pollMs: STATE_POLL_MS,
  });
  return (
    <ResourceView resource={resource} what="the history">
      {({ history }) => (
        <DataTable
          caption={`Moves of @${label.label}, newest first`}
          isCaptionHidden
          rows={history}
          rowKey={({ sequence }) => String(sequence)}
          columns={[
            { key: 'at', title: 'When', isHeading: true, cell: ({ moved_at }) => <Time time={moved_at} /> },
            {
              key: 'from',
              title: 'From',
              cell: ({ previous }) => (previous === null ? 'new' : targetText(previous)),
            },
            { key: 'to', title: 'To', cell: ({ target }) => targetText(target) },
            { key: 'actor', title: 'By', cell: ({ actor }) => actor },
            { key: 'reason', title: 'Reason', cell: ({ reason }) => reason },
          ]}
        />
      )}
    </ResourceView>
  );
}

function NoLabel({ prompt }: { readonly prompt: Prompt }) {
  const version = prompt.versions.at(-1)?.version ?? 'v1';
  const body = JSON.stringify({ version, reason: 'first value', expected_sequence: 0 });
  return (
    <EmptyState
      title="No label yet"
      command={`curl -s -X PUT ${location.origin}/prompts/${prompt.name}/labels/live -H 'Content-Type: application/json' -d '${body}'`}
    >
      <p>A label lets callers ask for @live and an admin decide what that is.</p>
    </EmptyState>
  );
}
