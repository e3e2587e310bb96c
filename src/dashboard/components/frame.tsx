import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { GatewayProblem } from '../api/gateway-problem.ts';
import type { Session } from '../api/wire-types.ts';
import { pageHref, pathBelowRoot } from '../match-path.ts';
import { usePlace } from '../router.ts';
import { Link } from './link.tsx';
import { ProblemNote } from './problem-note.tsx';

interface FrameProps {
  readonly session: Session;
  readonly onSignOut: () => Promise<void>;
  readonly children: ComponentChildren;
}

const SECTIONS: readonly { readonly title: string; readonly path: string; readonly below: string }[] = [
  { title: 'Overview', path: '/', below: '/prompts' },
  { title: 'Experiments', path: '/experiments', below: '/experiments' },
  { title: 'Generations', path: '/generations', below: '/generations' },
  { title: 'Keys', path: '/keys', below: '/keys' },
  { title: 'Health', path: '/health', below: '/health' },
];

/** What every page has around it: a way past the navigation, the navigation, and who is signed in. */
export function Frame({ session, onSignOut, children }: FrameProps) {
  const { pathname } = usePlace();
  const path = pathBelowRoot(pathname) ?? '/';
  return (
    <>
      <a class="skip-link" href="#content">
        Skip to the content
      </a>
      <header class="top-bar">
        <div class="top-bar-row">
          <Link href={pageHref('/')} class="brand">
            prompt-gateway
          </Link>
          <nav class="sections" aria-label="Sections">
            {SECTIONS.map((section) => (
              <Link
                key={section.path}
                href={pageHref(section.path)}
                current={path === section.path || path.startsWith(`${section.below}/`) ? 'page' : undefined}
              >
                {section.title}
              </Link>
            ))}
          </nav>
          <SessionCorner session={session} onSignOut={onSignOut} />
        </div>
      </header>
      <main class="page" id="content" tabIndex={-1}>
        {children}
      </main>
    </>
  );
}

function SessionCorner({ session, onSignOut }: Omit<FrameProps, 'children'>) {
  const [problem, setProblem] = useState<GatewayProblem | null>(null);
  const signOut = async (): Promise<void> => {
    try {
      await onSignOut();
    } catch (error) {
      if (!(error instanceof GatewayProblem)) throw error;
      setProblem(error);
    }
  };
  if (!session.signed_in) {
    return (
      <p class="session-corner" title="This gateway has no keys: everybody who reaches it may do everything.">
        <span class="badge badge-warning">open, no keys</span>
      </p>
    );
  }
  return (
    <div class="session-corner">
      <span class="muted">{session.key_name ?? session.key_id ?? 'local'}</span>
      <button type="button" class="button-quiet" onClick={() => void signOut()}>
        Sign out
      </button>
      {problem !== null && <ProblemNote problem={problem} />}
    </div>
  );
}
