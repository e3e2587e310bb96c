import type { ComponentChildren, TargetedSubmitEvent } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { CreatedApiKey } from '../api/access-wire.ts';
import { useApi } from '../api/api-context.ts';
import { GatewayProblem } from '../api/gateway-problem.ts';
import { ProblemNote } from '../components/problem-note.tsx';
import { draftBody, draftFault, emptyDraft, type KeyDraft, SCOPE_MEANINGS, withScope } from './key-draft.ts';

interface KeyFormProps {
  /** The gateway has no key yet. */
  readonly isFirstKey: boolean;
  readonly onCreated: (key: CreatedApiKey) => void;
  readonly onCancel: () => void;
}

const EXPIRIES: readonly (readonly [days: string, text: string])[] = [
  ['', 'never'],
  ['1', 'after a day'],
  ['7', 'after 7 days'],
  ['30', 'after 30 days'],
  ['90', 'after 90 days'],
  ['365', 'after a year'],
];

/** A new key: what it may do, for how long, and how much. */
export function KeyForm({ isFirstKey, onCreated, onCancel }: KeyFormProps) {
  const { api } = useApi();
  const [draft, setDraft] = useState<KeyDraft>(() => emptyDraft(isFirstKey));
  const [fault, setFault] = useState<string | null>(null);
  const [problem, setProblem] = useState<GatewayProblem | null>(null);
  const [isRunning, setIsRunning] = useState(false);
  const id = useId();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const change = (changes: Partial<KeyDraft>): void => {
    setDraft((last) => ({ ...last, ...changes }));
    setFault(null);
  };

  const submit = async (event: TargetedSubmitEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    if (isRunning) return;
    const found = draftFault(draft);
    setFault(found);
    if (found !== null) return;
    setIsRunning(true);
    setProblem(null);
    try {
      onCreated(await api.change<CreatedApiKey>('POST', '/keys', draftBody(draft, Date.now())));
    } catch (error) {
      if (!(error instanceof GatewayProblem)) throw error;
      setProblem(error);
      setIsRunning(false);
    }
  };

  return (
    <form class="panel" aria-label="New key" onSubmit={(event) => void submit(event)}>
      <h2 ref={heading} tabIndex={-1}>
        New key
      </h2>
      {isFirstKey && (
        <p class="note note-warning">
          This is the first key. From the moment it exists the gateway asks everybody for one, this page and
          every running caller too. Choose <code>admin</code>, keep the key, and sign in with it.
        </p>
      )}
      <fieldset class="choices">
        <legend>May</legend>
        {SCOPE_MEANINGS.map(([scope, meaning]) => (
          <label class="choice" key={scope}>
            <input
              type="checkbox"
              checked={draft.scopes.includes(scope)}
              onChange={(event) => {
                setDraft(withScope(draft, scope, event.currentTarget.checked));
                setFault(null);
              }}
            />
            <span>
              <code>{scope}</code> <span class="muted">{meaning}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <div class="form-grid">
        <Field id={`${id}-name`} label="Name: who or what uses it">
          <input
            id={`${id}-name`}
            type="text"
            maxLength={80}
            required
            value={draft.name}
            onInput={(event) => change({ name: event.currentTarget.value })}
          />
        </Field>
        <Field id={`${id}-expires`} label="Expires">
          <select
            id={`${id}-expires`}
            value={draft.expiresInDays}
            onChange={(event) => change({ expiresInDays: event.currentTarget.value })}
          >
            {EXPIRIES.map(([days, text]) => (
              <option key={days} value={days}>
                {text}
              </option>
            ))}
          </select>
        </Field>
        <Field id={`${id}-requests`} label="Calls of a model per minute">
          <input
            id={`${id}-requests`}
            inputMode="numeric"
            placeholder="no limit"
            value={draft.requestsPerMinute}
            onInput={(event) => change({ requestsPerMinute: event.currentTarget.value.trim() })}
          />
        </Field>
        <Field id={`${id}-tokens`} label="Tokens per minute">
          <input
            id={`${id}-tokens`}
            inputMode="numeric"
            placeholder="no limit"
            value={draft.tokensPerMinute}
            onInput={(event) => change({ tokensPerMinute: event.currentTarget.value.trim() })}
          />
        </Field>
        <Field id={`${id}-usd`} label="US dollars per UTC day">
          <input
            id={`${id}-usd`}
            inputMode="decimal"
            placeholder="no limit"
            value={draft.usdPerDay}
            onInput={(event) => change({ usdPerDay: event.currentTarget.value.trim() })}
          />
        </Field>
      </div>
      {fault !== null && (
        <p class="note note-error" role="alert">
          {fault}
        </p>
      )}
      {problem !== null && <ProblemNote problem={problem} />}
      <div class="row">
        <button type="submit" class="button-primary" disabled={isRunning}>
          {isRunning ? 'Making the key…' : 'Make the key'}
        </button>
        <button type="button" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}

interface FieldProps {
  readonly id: string;
  readonly label: string;
  readonly children: ComponentChildren;
}

function Field({ id, label, children }: FieldProps) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children}
    </div>
  );
}
