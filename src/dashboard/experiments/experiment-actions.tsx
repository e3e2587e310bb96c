import { useState } from 'preact/hooks';
import { useApi, useScope } from '../api/api-context.ts';
import type { ExperimentReport } from '../api/experiment-wire.ts';
import type { Label } from '../api/wire-types.ts';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { MoveLabelDialog } from '../prompt/move-label-dialog.tsx';
import { unitWord } from './experiment-words.ts';
import { type LabelMove, labelMoves } from './label-moves.ts';

interface ExperimentActionsProps {
  readonly report: ExperimentReport;
  readonly labels: readonly Label[];
  readonly onChanged: () => void;
}

type Asked =
  | { readonly kind: 'stop' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'move'; readonly label: Label; readonly version: string };

/** What an admin may do about an experiment: each asks first and wants a reason. */
export function ExperimentActions({ report, labels, onChanged }: ExperimentActionsProps) {
  const isAdmin = useScope('admin');
  const [asked, setAsked] = useState<Asked | null>(null);
  const close = (): void => setAsked(null);
  if (!isAdmin) return null;
  const moves = labelMoves(report, labels);
  return (
    <div class="row">
      {moves.map((move) => (
        <MoveButton key={`${move.label.label} ${move.version}`} move={move} onAsk={setAsked} />
      ))}
      {report.state === 'running' && (
        <button type="button" class="button-danger" onClick={() => setAsked({ kind: 'stop' })}>
          Stop…
        </button>
      )}
      {report.stopped !== null && (
        <button type="button" onClick={() => setAsked({ kind: 'resume' })}>
          Resume…
        </button>
      )}
      {asked?.kind === 'move' && (
        <MoveLabelDialog
          label={asked.label}
          target={{ version: asked.version }}
          isRollback={false}
          onMoved={onChanged}
          onClose={close}
        />
      )}
      {(asked?.kind === 'stop' || asked?.kind === 'resume') && (
        <StopDialog report={report} action={asked.kind} onChanged={onChanged} onClose={close} />
      )}
    </div>
  );
}

function MoveButton({
  move,
  onAsk,
}: {
  readonly move: LabelMove<Label>;
  readonly onAsk: (asked: Asked) => void;
}) {
  const { label, version, isWinner } = move;
  return (
    <button
      type="button"
      class={isWinner ? 'button-primary' : undefined}
      onClick={() => onAsk({ kind: 'move', label, version })}
    >
      Move @{label.label} to {version}…
    </button>
  );
}

interface StopDialogProps {
  readonly report: ExperimentReport;
  readonly action: 'stop' | 'resume';
  readonly onChanged: () => void;
  readonly onClose: () => void;
}

function StopDialog({ report, action, onChanged, onClose }: StopDialogProps) {
  const { api } = useApi();
  const { experiment, baseline, stopped } = report;
  const confirm = async (reason: string): Promise<void> => {
    await api.change('POST', `/experiments/${encodeURIComponent(experiment)}/${action}`, { reason });
    onChanged();
  };
  if (action === 'stop') {
    return (
      <ConfirmDialog
        title={`Stop the experiment ${experiment}?`}
        confirmText="Stop the experiment"
        isDanger
        onConfirm={confirm}
        onClose={onClose}
      >
        <p>
          From the next call on everybody gets the baseline <strong>{baseline}</strong>, within a second in
          every process. What was recorded stays; the experiment can be resumed.
        </p>
      </ConfirmDialog>
    );
  }
  return (
    <ConfirmDialog
      title={`Resume the experiment ${experiment}?`}
      confirmText="Resume the experiment"
      onConfirm={confirm}
      onClose={onClose}
    >
      <p>
        The {unitWord(report.unit)} that had an arm get it again.
        {stopped?.guardrail != null &&
          ` The guardrail ${stopped.guardrail} stops this definition no more: fix what it found first.`}
      </p>
    </ConfirmDialog>
  );
}
