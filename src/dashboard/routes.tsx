import type { ComponentType } from 'preact';
import { matchPath, pathBelowRoot } from './match-path.ts';
import type { PageProps } from './page-props.ts';
import { ExperimentPage } from './pages/experiment-page.tsx';
import { ExperimentsPage } from './pages/experiments-page.tsx';
import { GenerationPage } from './pages/generation-page.tsx';
import { GenerationsPage } from './pages/generations-page.tsx';
import { HealthPage } from './pages/health-page.tsx';
import { KeysPage } from './pages/keys-page.tsx';
import { NotFoundPage } from './pages/not-found-page.tsx';
import { OverviewPage } from './pages/overview-page.tsx';
import { PromptPage } from './pages/prompt-page.tsx';
import { usePlace } from './router.ts';

interface PageRoute {
  /** Below `/admin`; `:name` is a parameter. */
  readonly pattern: string;
  readonly page: ComponentType<PageProps>;
}

const ROUTES: readonly PageRoute[] = [
  { pattern: '/', page: OverviewPage },
  // Where a one-time link leads; its reader is signed in by now.
  { pattern: '/sign-in', page: OverviewPage },
  { pattern: '/prompts/:name', page: PromptPage },
  { pattern: '/experiments', page: ExperimentsPage },
  { pattern: '/experiments/:name', page: ExperimentPage },
  { pattern: '/generations', page: GenerationsPage },
  { pattern: '/generations/:id', page: GenerationPage },
  { pattern: '/keys', page: KeysPage },
  { pattern: '/health', page: HealthPage },
];

/** The page that the address names. Another parameter is another page: nothing of the last one stays. */
export function CurrentPage() {
  const { pathname } = usePlace();
  const path = pathBelowRoot(pathname) ?? '/';
  for (const { pattern, page: Page } of ROUTES) {
    const parameters = matchPath(pattern, path);
    if (parameters !== null) return <Page key={path} parameters={parameters} />;
  }
  return <NotFoundPage key={path} parameters={{}} />;
}
