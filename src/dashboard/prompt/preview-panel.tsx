import { useEffect, useId, useMemo, useState } from 'preact/hooks';
import { useApi, useScope } from '../api/api-context.ts';
import { GatewayProblem } from '../api/gateway-problem.ts';
import type { PromptVersion, RenderAnswer } from '../api/wire-types.ts';
import { ProblemNote } from '../components/problem-note.tsx';
import { MessageList } from '../generations/message-list.tsx';
import { TryIt } from './try-it.tsx';
import { editedVariables, type VariableField, variableFields } from './variable-fields.ts';

/** Quick enough to feel immediate, slow enough not to render each letter. */
const RENDER_DELAY_MS = 250;

/** The messages of a version for variables that the reader edits; no model is called until asked for. */
export function PreviewPanel({ version }: { readonly version: PromptVersion }) {
  const mayTry = useScope('admin');
  const fields = useMemo(() => variableFields(version), [version]);
  const [textByName, setTextByName] = useState<Readonly<Record<string, string>>>({});
  const edited = useMemo(() => editedVariables(fields, textByName), [fields, textByName]);
  const body = JSON.stringify({
    prompt_version: version.version,
    variables: edited.variables,
    profile_features: edited.profileFeatures,
  });
  const { answer, problem } = useRendered(version.prompt, body, Object.keys(edited.faults).length > 0);
  return (
    <div class="columns">
      <form class="stack" aria-label="Variables" onSubmit={(event) => event.preventDefault()}>
        <h3>Variables</h3>
        {fields.length === 0 && <p class="muted">This version takes no variables.</p>}
        {fields.map((field) => (
          <VariableInput
            key={field.name}
            field={field}
            text={textByName[field.name] ?? field.initialText}
            fault={edited.faults[field.name] ?? null}
            onChange={(text) => setTextByName((last) => ({ ...last, [field.name]: text }))}
          />
        ))}
        {mayTry && <TryIt prompt={version.prompt} body={body} isBlocked={problem !== null} />}
      </form>
      <div class="stack">
        <h3>Messages</h3>
        {problem !== null && <ProblemNote problem={problem} />}
        {answer !== null && <MessageList messages={answer.messages} />}
      </div>
    </div>
  );
}

interface VariableInputProps {
  readonly field: VariableField;
  readonly text: string;
  readonly fault: string | null;
  readonly onChange: (text: string) => void;
}

function VariableInput({ field, text, fault, onChange }: VariableInputProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>
        <code>{field.name}</code>{' '}
        <span class="muted">
          {field.isRequired ? '' : 'optional, '}
          {field.kind === 'json' ? 'JSON' : 'text'}
        </span>
      </label>
      {field.description !== null && (
        <span class="muted" id={`${id}-hint`}>
          {field.description}
        </span>
      )}
      <textarea
        id={id}
        rows={Math.min(8, Math.max(2, text.split('\n').length))}
        class={field.kind === 'json' ? 'code-input' : undefined}
        spellcheck={field.kind === 'text'}
        value={text}
        aria-invalid={fault !== null}
        aria-describedby={field.description === null ? undefined : `${id}-hint`}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
      {fault !== null && (
        <span class="field-fault" role="alert">
          {fault}
        </span>
      )}
    </div>
  );
}

interface Rendered {
  readonly answer: RenderAnswer | null;
  readonly problem: GatewayProblem | null;
}

/** The last good messages stay while the reader types something that does not render. */
function useRendered(prompt: string, body: string, isBlocked: boolean): Rendered {
  const { api } = useApi();
  const [rendered, setRendered] = useState<Rendered>({ answer: null, problem: null });
  useEffect(() => {
    if (isBlocked) return undefined;
    const abort = new AbortController();
    const render = async (): Promise<void> => {
      try {
        const path = `/prompts/${encodeURIComponent(prompt)}/render`;
        const answer = await api.change<RenderAnswer>('POST', path, JSON.parse(body), abort.signal);
        if (!abort.signal.aborted) setRendered({ answer, problem: null });
      } catch (error) {
        if (abort.signal.aborted) return;
        if (!(error instanceof GatewayProblem)) throw error;
        setRendered((last) => ({ ...last, problem: error }));
      }
    };
    const timer = setTimeout(() => void render(), RENDER_DELAY_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [api, prompt, body, isBlocked]);
  return rendered;
}
