import { useId, useState } from 'preact/hooks';
import { useApi } from '../api/api-context.ts';
import { GatewayProblem } from '../api/gateway-problem.ts';
import { useResource } from '../api/use-resource.ts';
import type { GenerateAnswer } from '../api/wire-types.ts';
import { CodeBlock } from '../components/code-block.tsx';
import { Link } from '../components/link.tsx';
import { ProblemNote } from '../components/problem-note.tsx';
import { Stat, StatList } from '../components/stat.tsx';
import { formatCount, formatDurationMs, formatUsd } from '../format.ts';
import { pageHref } from '../match-path.ts';

interface TryItProps {
  readonly prompt: string;
  /** Version and variables, as for rendering. */
  readonly body: string;
  /** The variables do not render. */
  readonly isBlocked: boolean;
}

interface ModelList {
  readonly data: readonly { readonly id: string }[];
}

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'running' }
  | { readonly kind: 'answered'; readonly answer: GenerateAnswer }
  | { readonly kind: 'failed'; readonly problem: GatewayProblem };

/** Calls a model with the edited variables. The call is tagged as a test: reports leave it out, its cost is real. */
export function TryIt({ prompt, body, isBlocked }: TryItProps) {
  const { api } = useApi();
  const models = useResource<ModelList>('/v1/models', { pollMs: 0 });
  const [route, setRoute] = useState('');
  const [state, setState] = useState<State>({ kind: 'idle' });
  const id = useId();
  const routes = (models.data?.data ?? [])
    .map((model) => model.id)
    .filter((name) => !name.startsWith('prompt/'));

  const call = async (): Promise<void> => {
    setState({ kind: 'running' });
    try {
      const request = { ...JSON.parse(body), prompt, tags: ['test'], ...(route === '' ? {} : { route }) };
      setState({ kind: 'answered', answer: await api.change<GenerateAnswer>('POST', '/generate', request) });
    } catch (error) {
      if (!(error instanceof GatewayProblem)) throw error;
      setState({ kind: 'failed', problem: error });
    }
  };

  return (
    <fieldset class="try-it">
      <legend>Try it</legend>
      <p class="muted">
        Calls the route with these variables. Tagged as a test: reports leave it out, its cost is real.
      </p>
      <div class="row">
        <label for={id}>Route</label>
        <select
          id={id}
          class="select-short"
          value={route}
          onChange={(event) => setRoute(event.currentTarget.value)}
        >
          <option value="">default route</option>
          {routes.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
        <button
          type="button"
          class="button-primary"
          disabled={isBlocked || state.kind === 'running'}
          onClick={() => void call()}
        >
          {state.kind === 'running' ? 'Waiting for the model…' : 'Call the model'}
        </button>
      </div>
      <div aria-live="polite">
        {state.kind === 'failed' && <ProblemNote problem={state.problem} />}
        {state.kind === 'answered' && <Answer answer={state.answer} />}
      </div>
    </fieldset>
  );
}

function Answer({ answer }: { readonly answer: GenerateAnswer }) {
  return (
    <div class="stack">
      {answer.degraded && (
        <p class="note note-warning">No provider answered: this is an authored line of the prompt.</p>
      )}
      <CodeBlock label="Answer" text={answer.text} />
      <StatList>
        <Stat label="Model" value={answer.model} note={answer.provider} />
        <Stat label="Latency" value={formatDurationMs(answer.latency_ms)} />
        <Stat
          label="Tokens in · out"
          value={`${formatCount(answer.usage.input_tokens)} · ${formatCount(answer.usage.output_tokens)}`}
        />
        <Stat label="Cost" value={formatUsd(answer.cost_usd)} />
      </StatList>
      <p>
        <Link href={pageHref('/generations/:id', { id: answer.id })}>The whole call</Link>
      </p>
    </div>
  );
}
