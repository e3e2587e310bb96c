import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import { ApiContext } from './api/api-context.ts';
import type { GatewayApi } from './api/gateway-api.ts';
import { GatewayProblem } from './api/gateway-problem.ts';
import { forgetResources } from './api/use-resource.ts';
import type { Session } from './api/wire-types.ts';
import { Frame } from './components/frame.tsx';
import { ProblemNote } from './components/problem-note.tsx';
import { SignInPage } from './pages/sign-in-page.tsx';
import { CurrentPage } from './routes.tsx';
import { takeSignInToken } from './sign-in-token.ts';

const RETRY_MS = 3_000;

type State =
  | { readonly kind: 'starting'; readonly problem: GatewayProblem | null }
  | { readonly kind: 'signed_out'; readonly message: string | null }
  | { readonly kind: 'ready'; readonly session: Session };

/** Who looks at the page comes first: the session, then the page that the address names. */
export function App({ api }: { readonly api: GatewayApi }) {
  const [state, setState] = useState<State>({ kind: 'starting', problem: null });

  const enter = useCallback(
    (session: Session, message: string | null = null) => {
      api.setCsrfToken(session.csrf_token);
      setState(
        session.signed_in || session.open ? { kind: 'ready', session } : { kind: 'signed_out', message },
      );
    },
    [api],
  );
  const leave = useCallback(
    (message: string | null) => {
      api.setCsrfToken(null);
      forgetResources();
      setState({ kind: 'signed_out', message });
    },
    [api],
  );

  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    api.onUnauthorized((problem) => leave(problem.message));

    const start = async (): Promise<void> => {
      try {
        const refusal = await redeemLink(api);
        const { value } = await api.get<Session>('/admin/session', abort.signal);
        enter(value, refusal);
      } catch (error) {
        if (abort.signal.aborted) return;
        if (!(error instanceof GatewayProblem)) throw error;
        setState({ kind: 'starting', problem: error });
        timer = setTimeout(() => void start(), RETRY_MS);
      }
    };
    void start();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [api, enter, leave]);

  const signOut = useCallback(async () => {
    const session = await api.change<Session>('POST', '/admin/sign-out');
    forgetResources();
    // A gateway without keys lets the reader stay.
    enter(session, 'You are signed out.');
  }, [api, enter]);
  const session = state.kind === 'ready' ? state.session : null;
  const context = useMemo(() => (session === null ? null : { api, session }), [api, session]);

  if (state.kind === 'starting') {
    return (
      <main class="page" id="content">
        {state.problem === null ? <p class="muted">Loading…</p> : <ProblemNote problem={state.problem} />}
      </main>
    );
  }
  if (state.kind === 'signed_out' || context === null) {
    const message = state.kind === 'signed_out' ? state.message : null;
    return <SignInPage api={api} message={message} onSignedIn={enter} />;
  }
  return (
    <ApiContext.Provider value={context}>
      <Frame session={context.session} onSignOut={signOut}>
        <CurrentPage />
      </Frame>
    </ApiContext.Provider>
  );
}

/** Redeems the one-time link that was opened, if one was. Answers why it did not work. */
async function redeemLink(api: GatewayApi): Promise<string | null> {
  const token = takeSignInToken();
  if (token === null) return null;
  try {
    await api.change('POST', '/admin/sign-in', { token });
    return null;
  } catch (error) {
    if (error instanceof GatewayProblem && error.status !== 0) return error.message;
    throw error;
  }
}
