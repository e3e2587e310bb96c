import {
  AppError,
  type Fault,
  silentLogger,
  systemIds,
  systemRandom,
  usdFromNanoUsd,
} from '../../kernel/index.ts';
import type { PromptCase, PromptFamily, PromptVersion } from '../../prompts/index.ts';
import type { Route, RouteAnswer, Routes } from '../../providers/index.ts';
import { gatewayVersion } from '../../version.ts';
import type { CliContext } from '../cli-context.ts';
import { forEachBounded } from '../demo/bounded-concurrency.ts';
import { createProgressLine } from '../demo/progress-line.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { loadCommandConfig } from '../load-command-config.ts';
import { loadConfiguredPrompts, type PromptsOptions } from '../load-command-prompts.ts';
import { UsageError } from '../usage-error.ts';
import { writeJson, writeLine, writeText } from '../write-output.ts';
import { type LiveCase, type LiveResult, liveText } from './live-text.ts';

export interface PromptsTestOptions extends PromptsOptions {
  /** Write what drafts render now into their cases, without a model. */
  readonly update?: boolean;
  readonly live?: boolean;
  /** Default: the default route of the configuration. */
  readonly route?: string;
  /** Default: the two newest that are not retired. */
  readonly versions?: readonly string[];
  /** Calls at once. */
  readonly concurrency?: number;
}

const CONCURRENCY = 4;

/**
 * Calls a model with the cases of one prompt and shows what it answers to each version. Exit code 1 when a call fails,
 * an answer does not fit `output.schema`, or no model answered but the authored lines of the prompt.
 */
export async function promptsTestLive(
  prompt: string | null,
  options: PromptsTestOptions,
  context: CliContext,
): Promise<ExitCode> {
  if (prompt === null) {
    throw new UsageError('--live calls a model for every case: name the prompt, such as tip');
  }
  const { loaded, environment } = loadCommandConfig(options, context);
  const registry = await loadConfiguredPrompts(loaded);
  const [{ readPromptCases }, { createRoutes }] = await Promise.all([
    import('../../prompts/index.ts'),
    import('../../providers/index.ts'),
  ]);
  const versions = (options.versions ?? newestOf(registry.family(prompt))).map((version) =>
    registry.version(prompt, version),
  );
  const { cases: all, faults } = await readPromptCases(loaded.promptsDirectory, prompt);
  for (const { path, message } of faults) await writeLine(context.stderr, `warning: ${path}  ${message}`);
  const cases = all.filter((promptCase) => isFor(promptCase, versions));
  if (cases.length === 0) {
    const names = versions.map(({ version }) => version).join(' or ');
    throw new AppError(
      'invalid_request',
      `prompts/${prompt}/cases.yaml has no case that renders ${names}: add one`,
    );
  }
  const routes = createRoutes({
    config: loaded.config,
    environment,
    clock: context.clock,
    random: systemRandom,
    logger: silentLogger,
    version: gatewayVersion(),
  });
  try {
    const route = routes.get(options.route ?? loaded.config.default_route);
    for (const warning of routes.warnings.filter((text) => text.includes(`"${route.name}"`))) {
      await writeLine(context.stderr, `warning: ${warning}`);
    }
    const live = await callAll(
      { cases, versions, route, resting: () => restingProviders(routes, route.name) },
      options.concurrency ?? CONCURRENCY,
      context,
    );
    const isOk = live.every(({ results }) => results.every(({ problem }) => problem === null));
    const names = versions.map(({ version }) => version);
    if (options.json === true) {
      await writeJson(context.stdout, {
        ok: isOk,
        prompt,
        route: route.name,
        versions: names,
        cases: live.map(caseJson),
      });
    } else {
      await writeText(context.stdout, liveText({ prompt, route: route.name, versions: names, cases: live }));
    }
    return isOk ? EXIT.ok : EXIT.failed;
  } finally {
    await routes.close();
  }
}

function newestOf({ versions }: PromptFamily): readonly string[] {
  return versions
    .filter(({ retired }) => !retired)
    .slice(-2)
    .map(({ version }) => version);
}

/** A case that expects a refusal says nothing about answers. */
function isFor({ expected, versions: named }: PromptCase, versions: readonly PromptVersion[]): boolean {
  return expected.kind === 'messages' && versions.some(({ version }) => named.includes(version));
}

interface Asked {
  readonly cases: readonly PromptCase[];
  readonly versions: readonly PromptVersion[];
  readonly route: Route;
  /** Providers that are not asked for a while, because they kept failing. */
  resting(): readonly string[];
}

function restingProviders(routes: Routes, route: string): readonly string[] {
  const open = routes.health().filter((target) => target.route === route && target.circuit !== 'closed');
  return open.map(({ provider }) => provider);
}

async function callAll(
  { cases, versions, ...asked }: Asked,
  concurrency: number,
  context: CliContext,
): Promise<readonly LiveCase[]> {
  const stop = new AbortController();
  void context.untilStopped().then(() => stop.abort());
  const calls = cases.flatMap((promptCase) => versions.map((version) => ({ promptCase, version })));
  const results = new Map<object, LiveResult>();
  const progress = createProgressLine(context.stderr, calls.length, 'calling the model');
  await forEachBounded(calls, concurrency, async (call) => {
    results.set(call, await callOnce(call, asked, context, stop.signal));
    progress.update(results.size, '');
  });
  progress.finish();
  return cases.map((promptCase) => ({
    name: promptCase.name,
    results: calls.flatMap((call) => {
      const result = call.promptCase === promptCase ? results.get(call) : undefined;
      return result === undefined ? [] : [result];
    }),
  }));
}

async function callOnce(
  { promptCase, version }: { readonly promptCase: PromptCase; readonly version: PromptVersion },
  { route, resting }: Pick<Asked, 'route' | 'resting'>,
  context: CliContext,
  signal: AbortSignal,
): Promise<LiveResult> {
  const { variables, profile, history } = promptCase;
  const nothing = {
    version: version.version,
    text: '',
    problem: null,
    faults: [],
    provider: null,
    model: null,
  };
  const unmeasured = { inputTokens: null, outputTokens: null, costNanoUsd: null, latencyMs: null };
  try {
    const { versionCall } = await import('../../serving/index.ts');
    const { messages } = version.render({ variables, profile, history, random: systemRandom });
    const startedMs = context.clock.monotonicMs();
    const outcome = await route.generate(versionCall(version, messages, systemIds().next('gen')), signal);
    const latencyMs = context.clock.monotonicMs() - startedMs;
    if (outcome.kind === 'failed') throw outcome.error;
    const { result, provider, costNanoUsd } = outcome;
    const check = version.checkOutput(result.text);
    return {
      ...nothing,
      text: result.text,
      problem: outcome.degraded
        ? noModel(outcome, resting())
        : check.ok
          ? null
          : 'does not fit output.schema',
      faults: check.ok ? [] : check.faults,
      provider,
      model: result.model,
      inputTokens: result.usage.inputTokens,
      outputTokens: result.usage.outputTokens,
      costNanoUsd,
      latencyMs,
    };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { ...nothing, ...unmeasured, problem: `${error.code}: ${error.message}`, faults: error.faults };
  }
}

/** Authored lines say nothing about a version: why there was no model is what matters. */
function noModel({ attempts }: RouteAnswer, resting: readonly string[]): string {
  const failed = attempts.findLast(({ error }) => error !== null);
  const untried =
    resting.length === 0
      ? 'the route has none in use'
      : `${resting.join(', ')} not asked after the failures before`;
  const reason = failed === undefined ? untried : `${failed.provider}: ${failed.error}`;
  return `an authored line, no model answered (${reason})`;
}

function caseJson({ name, results }: LiveCase): object {
  return {
    name,
    results: results.map(({ version, text, problem, faults, provider, model, ...measured }) => ({
      version,
      ok: problem === null,
      text,
      problem,
      faults: faults satisfies readonly Fault[],
      provider,
      model,
      input_tokens: measured.inputTokens,
      output_tokens: measured.outputTokens,
      cost_usd: usdFromNanoUsd(measured.costNanoUsd),
      latency_ms: measured.latencyMs === null ? null : Math.round(measured.latencyMs),
    })),
  };
}
