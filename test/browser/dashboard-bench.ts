import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';

import { type GatewayProcess, processBench } from '../helpers/gateway-process.ts';
import type { ScriptedUpstream } from '../helpers/scripted-upstream.ts';
import { launchChromium } from './system-chromium.ts';
import { type HistorySize, modelEnvironment, startTipModel, writeHistory } from './written-history.ts';

/** A page that waits longer than this for what it shows does not show it. */
const PATIENCE_MS = 8_000;

export interface MadeKey {
  readonly id: string;
  /** `pgw_…`, the whole of it. */
  readonly text: string;
}

export interface DashboardBench {
  readonly url: string;
  readonly upstream: ScriptedUpstream;
  readonly gateway: GatewayProcess;
  /** Changes files of the gateway before it starts; the folder with its configuration, prompts and database. */
  readonly folder: string;
  /** The first one closes the gateway to everybody without a key. */
  makeKey(name: string, scopes: readonly string[], admin?: string): Promise<MadeKey>;
  /** A request from outside of any page, as JSON. Fails unless it is answered with 2xx. */
  call(method: string, path: string, body?: unknown, key?: string): Promise<Record<string, unknown>>;
  /** A browser of its own: nothing is shared with other visits. */
  visit(options?: BrowserContextOptions): Promise<Visit>;
  close(): Promise<void>;
}

export interface Visit {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Every address that any page of this visit asked for. */
  readonly requested: readonly string[];
  /** What went wrong within the pages: exceptions, refusals of the content security policy. */
  readonly faults: readonly string[];
  /** Opens a page of the dashboard by its path below `/admin` and waits until it shows what it has. */
  open(path: string): Promise<void>;
  /** Signs in by the form. */
  signIn(key: string): Promise<void>;
  close(): Promise<void>;
}

export interface BenchOptions {
  readonly history?: HistorySize;
  /** Adds to the folder before the gateway starts. */
  readonly prepare?: (folder: string) => Promise<void>;
  /** Stands in for the model of the history. Closed with the bench. */
  readonly upstream?: ScriptedUpstream;
}

/** A real gateway process on a database of its own, a scripted model behind it and a real browser before it. Close it. */
export async function openDashboardBench(options: BenchOptions = {}): Promise<DashboardBench> {
  const { history, prepare } = options;
  const processes = processBench();
  const folder = await processes.freshFolder();
  await prepare?.(folder);
  const upstream = options.upstream ?? (await startTipModel());
  if (history !== undefined) await writeHistory(folder, upstream, history);
  const gateway = processes.start(folder, modelEnvironment(upstream));
  const [url, browser] = await Promise.all([gateway.url, launchChromium()]);

  const call: DashboardBench['call'] = async (method, path, body, key) => {
    const response = await fetch(url + path, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as Record<string, unknown>;
  };
  return {
    url,
    upstream,
    gateway,
    folder,
    call,
    makeKey: async (name, scopes, admin) => {
      const made = await call('POST', '/keys', { name, scopes }, admin);
      return { id: String(made['id']), text: String(made['key']) };
    },
    visit: (options) => openVisit(browser, url, options),
    close: async () => {
      await browser.close();
      await processes.cleanUp();
      await upstream.close();
    },
  };
}

async function openVisit(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  const requested: string[] = [];
  const faults: string[] = [];
  context.on('request', (request) => requested.push(request.url()));
  context.on('weberror', (error) => faults.push(String(error.error())));
  context.on('dialog', (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  context.on('console', (message) => {
    // Answers such as 401 are part of what is tested; the browser reports each as an error.
    const isAnswer = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !isAnswer) faults.push(message.text());
  });
  const page = await context.newPage();
  return {
    page,
    context,
    requested,
    faults,
    open: async (path) => {
      await page.goto(`${url}/admin${path}`);
      await shown(page);
    },
    signIn: async (key) => {
      await page.goto(`${url}/admin`);
      await page.getByLabel('API key').fill(key);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('heading', { name: 'Overview' }).waitFor();
      await shown(page);
    },
    close: () => context.close(),
  };
}

/** Waits until the page has its title and nothing of it is still on its way. */
export async function shown(page: Page): Promise<void> {
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page
    .getByText(/^Loading/)
    .first()
    .waitFor({ state: 'hidden' });
}
