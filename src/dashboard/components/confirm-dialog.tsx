import type { ComponentChildren, TargetedSubmitEvent } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { GatewayProblem } from '../api/gateway-problem.ts';
import { ProblemNote } from './problem-note.tsx';

const MAX_REASON_CHARACTERS = 500;

interface ConfirmDialogProps {
  readonly title: string;
  /** What will happen, to whom, and how to take it back. */
  readonly children: ComponentChildren;
  readonly confirmText: string;
  /** The action takes away or reaches users: its button warns. */
  readonly isDanger?: boolean;
  readonly onConfirm: (reason: string) => Promise<void>;
  readonly onClose: () => void;
  /** More to decide after the gateway refused, such as an override of a rollout gate. */
  readonly renderProblem?: (problem: GatewayProblem) => ComponentChildren;
}

/**
 * Asks before a change, and for the reason that its history keeps. The browser's own dialog: it holds the focus, closes
 * with Escape and gives the focus back. Mounted means open.
 */
export function ConfirmDialog(props: ConfirmDialogProps) {
  const { title, children, confirmText, isDanger = false, onConfirm, onClose, renderProblem } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const [reason, setReason] = useState('');
  const [problem, setProblem] = useState<GatewayProblem | null>(null);
  const [isRunning, setIsRunning] = useState(false);
  const id = useId();

  // Before the next paint: a key pressed right after the click belongs to the dialog.
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);

  const submit = async (event: TargetedSubmitEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    if (isRunning) return;
    setIsRunning(true);
    setProblem(null);
    try {
      await onConfirm(reason.trim());
      onClose();
    } catch (error) {
      if (!(error instanceof GatewayProblem)) throw error;
      setProblem(error);
      setIsRunning(false);
    }
  };

  return (
    <dialog ref={dialog} class="dialog" aria-labelledby={`${id}-title`} onClose={onClose}>
      <form onSubmit={(event) => void submit(event)}>
        <h2 id={`${id}-title`}>{title}</h2>
        {children}
        <label class="field" for={`${id}-reason`}>
          <span>Reason, kept in the history</span>
          <textarea
            id={`${id}-reason`}
            required
            maxLength={MAX_REASON_CHARACTERS}
            rows={3}
            value={reason}
            onInput={(event) => setReason(event.currentTarget.value)}
          />
        </label>
        {problem !== null && <ProblemNote problem={problem} />}
        {problem !== null && renderProblem?.(problem)}
        <div class="dialog-buttons">
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button
            type="submit"
            class={isDanger ? 'button-danger' : 'button-primary'}
            disabled={isRunning || reason.trim() === ''}
          >
            {isRunning ? 'Working…' : confirmText}
          </button>
        </div>
      </form>
    </dialog>
  );
}
