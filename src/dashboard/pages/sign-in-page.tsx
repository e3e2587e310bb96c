import type { TargetedSubmitEvent } from 'preact';
import { useEffect, useId, useState } from 'preact/hooks';
import type { GatewayApi } from '../api/gateway-api.ts';
import { GatewayProblem } from '../api/gateway-problem.ts';
import type { Session } from '../api/wire-types.ts';
import { ProblemNote } from '../components/problem-note.tsx';

interface SignInPageProps {
  readonly api: GatewayApi;
  /** Why the reader is here: an end of the session, a link that did not work. */
  readonly message: string | null;
  readonly onSignedIn: (session: Session) => void;
}

/** The address stays: after signing in the reader is where they wanted to be. */
export function SignInPage({ api, message, onSignedIn }: SignInPageProps) {
  const [key, setKey] = useState('');
  const [problem, setProblem] = useState<GatewayProblem | null>(null);
  const [isRunning, setIsRunning] = useState(false);
  const id = useId();
  useEffect(() => {
    document.title = 'Sign in · prompt-gateway';
  }, []);

  const submit = async (event: TargetedSubmitEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    setIsRunning(true);
    setProblem(null);
    try {
      onSignedIn(await api.change<Session>('POST', '/admin/sign-in', { key: key.trim() }));
    } catch (error) {
      if (!(error instanceof GatewayProblem)) throw error;
      setProblem(error);
      setIsRunning(false);
    }
  };

  return (
    <main class="page sign-in" id="content">
      <p class="brand">prompt-gateway</p>
      <h1>Sign in</h1>
      {message !== null && problem === null && (
        <p class="note note-warning" role="status">
          {message}
        </p>
      )}
      {problem !== null && <ProblemNote problem={problem} />}
      <form onSubmit={(event) => void submit(event)}>
        <label class="field" for={`${id}-key`}>
          <span>API key</span>
          <input
            id={`${id}-key`}
            type="password"
            autoComplete="current-password"
            spellcheck={false}
            placeholder="pgw_…"
            required
            value={key}
            onInput={(event) => setKey(event.currentTarget.value)}
            aria-describedby={`${id}-hint`}
          />
        </label>
        <button type="submit" class="button-primary" disabled={isRunning}>
          {isRunning ? 'Signing in…' : 'Sign in'}
        </button>
        <p class="muted" id={`${id}-hint`}>
          A key with the scope <code>read</code> or <code>admin</code>. An operator makes one with{' '}
          <code>npx prompt-gateway keys create ops --scopes admin</code>.
        </p>
      </form>
    </main>
  );
}
