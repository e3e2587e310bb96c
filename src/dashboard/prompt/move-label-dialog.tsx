import { useState } from 'preact/hooks';
import { useApi } from '../api/api-context.ts';
import type { GatewayProblem } from '../api/gateway-problem.ts';
import type { Label, LabelTarget } from '../api/wire-types.ts';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { targetText } from '../overview/served-text.ts';

interface MoveLabelDialogProps {
  readonly label: Label;
  readonly target: LabelTarget;
  /** The move takes a former one back. */
  readonly isRollback: boolean;
  readonly onMoved: () => void;
  readonly onClose: () => void;
}

/** Asks before users get another version. The move names the state that was seen: another admin's move in between refuses it. */
export function MoveLabelDialog({ label, target, isRollback, onMoved, onClose }: MoveLabelDialogProps) {
  const { api } = useApi();
  const [isGateClosed, setIsGateClosed] = useState(false);
  const [isOverriding, setIsOverriding] = useState(false);
  const move = async (reason: string): Promise<void> => {
    const path = `/prompts/${encodeURIComponent(label.prompt)}/labels/${encodeURIComponent(label.label)}`;
    await api.change('PUT', path, {
      ...target,
      reason,
      expected_sequence: label.sequence,
      ...(isOverriding ? { override: { reason } } : {}),
    });
    onMoved();
  };
  const renderProblem = (problem: GatewayProblem) => {
    if (!isGateClosed && 'gate' in problem.members) setIsGateClosed(true);
    return null;
  };
  return (
    <ConfirmDialog
      title={`${isRollback ? 'Roll back' : 'Move'} @${label.label} to ${targetText(target)}?`}
      confirmText={isRollback ? 'Roll back' : 'Move the label'}
      isDanger={isOverriding}
      onConfirm={move}
      onClose={onClose}
      renderProblem={renderProblem}
    >
      <p>
        Calls of <strong>{label.prompt}</strong> that ask for <code>@{label.label}</code> get{' '}
        <strong>{targetText(target)}</strong> instead of <strong>{targetText(label.target)}</strong>, within a
        second. Moving it back is another move.
      </p>
      {isGateClosed && (
        <label class="check">
          <input
            type="checkbox"
            checked={isOverriding}
            onChange={(event) => setIsOverriding(event.currentTarget.checked)}
          />
          <span>Move all the same. The reason below goes into the rollout history.</span>
        </label>
      )}
    </ConfirmDialog>
  );
}
