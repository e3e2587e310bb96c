import type { CallReservation, KeyLimiter } from '../access/index.ts';
import type { DefaultPromptVersion, GatewayConfig } from '../config/index.ts';
import type { Selection, Selector } from '../experiments/index.ts';
import type { ChatMessage, Clock, Ids, ModelParameters, Random } from '../kernel/index.ts';
import type { PromptStore, PromptVersion } from '../prompts/index.ts';
import type { ResponseFormat, Route, RouteCall, Routes } from '../providers/index.ts';
import type { DryRun, GenerateRequest, GenerateSource, GenerationHead } from './types.ts';

export interface PrepareParts {
  readonly prompts: PromptStore;
  readonly selector: Selector;
  readonly defaultPromptVersion: DefaultPromptVersion;
  readonly config: GatewayConfig;
  readonly routes: Routes;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly random: Random;
  /** Keyed hash of a unit id, so that raw ids are never stored. */
  readonly hashUnit: (kind: string, id: string) => string;
  /** Default: nothing limits a caller. */
  readonly limits?: Pick<KeyLimiter, 'reserve'>;
  /** Of the configuration in force. */
  readonly configHash: () => string;
}

const NO_RESERVATION: CallReservation = { settle: () => {} };

export type PromptSource = Extract<GenerateSource, { kind: 'prompt' }>;

/** A call that is decided and rendered, and has not gone to a provider yet. */
export interface PreparedCall {
  readonly id: string;
  readonly request: GenerateRequest;
  /** Null for a pass-through call. */
  readonly selection: Selection | null;
  /** Of what decided the call: a reload that comes later does not change it. */
  readonly configHash: string;
  readonly registryHash: string;
  /** As rendered, defaults filled in; null for a pass-through call. */
  readonly variables: Readonly<Record<string, unknown>> | null;
  readonly route: Route;
  readonly routeCall: RouteCall;
  readonly renderMs: number;
  /** Its share of the caller's limits; settled when it is recorded. */
  readonly reservation: CallReservation;
}

/** Select, render, choose route and parameters. Fails with the codes of selection, rendering and `route_not_found`. */
export async function prepareCall(request: GenerateRequest, parts: PrepareParts): Promise<PreparedCall> {
  const startedMs = parts.clock.monotonicMs();
  const registry = parts.prompts.current();
  const route = parts.routes.get(request.route ?? parts.config.default_route);
  const configHash = parts.configHash();
  const id = parts.ids.next('gen');
  const { source } = request;
  if (source.kind === 'messages') {
    const routeCall = { ...callBase(request, id), messages: source.messages, fallbackLines: [] };
    return {
      id,
      request,
      selection: null,
      configHash,
      registryHash: registry.hash,
      variables: null,
      route,
      routeCall,
      renderMs: 0,
      reservation: await reserve(request, parts),
    };
  }
  const selection = await parts.selector.select(registry, {
    prompt: source.prompt ?? parts.config.prompts.default,
    bodyValue: source.promptVersion,
    environment: parts.defaultPromptVersion,
    unitKey: (kind) => unitKeyOf(request, kind, parts),
  });
  const call = renderedCall(
    { id, request, selection, configHash, registryHash: registry.hash, route, startedMs },
    source,
    parts,
  );
  // Last: what cannot be rendered uses no limit up.
  return { ...call, reservation: await reserve(request, parts) };
}

/** The call of a selected version: its prompt rendered, its parameters merged. Fails with the codes of rendering. */
export function renderedCall(
  chosen: Pick<PreparedCall, 'id' | 'request' | 'configHash' | 'registryHash' | 'route'> & {
    readonly selection: Selection;
    /** Monotonic. */
    readonly startedMs: number;
  },
  source: PromptSource,
  parts: Pick<PrepareParts, 'clock' | 'random'>,
): PreparedCall {
  const { startedMs, ...decided } = chosen;
  const { request } = decided;
  const { version } = decided.selection;
  const rendered = version.render({
    variables: source.variables,
    profile: source.profileFeatures,
    history: source.messages,
    random: parts.random,
  });
  const base = callBase(request, decided.id);
  const own = versionCall(version, rendered.messages, decided.id);
  const routeCall: RouteCall = {
    ...own,
    ...base,
    modelOverride: base.modelOverride ?? own.modelOverride,
    parameters: mergedParameters(version.parameters, request.parameters),
  };
  const renderMs = parts.clock.monotonicMs() - startedMs;
  return { ...decided, variables: rendered.variables, routeCall, renderMs, reservation: NO_RESERVATION };
}

/** What a version asks of a route by itself: its messages, model, parameters, output and last lines. */
export function versionCall(
  version: PromptVersion,
  messages: readonly ChatMessage[],
  generationId: string,
): RouteCall {
  const format = responseFormatOf(version);
  return {
    generationId,
    messages,
    modelOverride: version.model,
    modelByCaller: false,
    parameters: version.parameters,
    fallbackLines: version.fallbackLines,
    ...(format === null ? {} : { responseFormat: format }),
  };
}

function reserve(
  request: GenerateRequest,
  { limits }: PrepareParts,
): Promise<CallReservation> | CallReservation {
  if (request.dryRun || limits === undefined) return NO_RESERVATION;
  return limits.reserve(request.context.apiKeyId);
}

/** Null: the call does not name its unit of that kind. */
export function unitKeyOf(
  request: GenerateRequest,
  kind: 'user_id' | 'session_id',
  { hashUnit }: Pick<PrepareParts, 'hashUnit'>,
): string | null {
  const id = kind === 'user_id' ? request.userId : request.sessionId;
  return id === null ? null : hashUnit(kind, id);
}

export function headOf(call: PreparedCall): GenerationHead {
  const { selection } = call;
  return {
    id: call.id,
    prompt: selection?.version.prompt ?? null,
    promptVersion: selection?.version.version ?? null,
    promptHash: selection?.version.hash ?? null,
    versionSource: selection?.source ?? null,
    label: selection?.label ?? null,
    experiment: selection?.assignment?.experiment ?? null,
    arm: selection?.assignment?.arm ?? null,
    propensity: selection?.assignment?.propensity ?? null,
    route: call.route.name,
  };
}

export function dryRunOf(call: PreparedCall): DryRun {
  const { id: _unused, ...chosen } = headOf(call);
  return {
    ...chosen,
    messages: call.routeCall.messages,
    variables: call.variables,
    model: call.routeCall.modelOverride,
    targets: call.route.targets.map(({ provider, model }) => ({ provider, model })),
    parameters: call.routeCall.parameters,
  };
}

/** The same call with the faulty answer and what is wrong with it, for the one repair attempt. */
export function repairCall(
  call: PreparedCall,
  answer: string,
  faults: readonly { path: string; message: string }[],
): RouteCall {
  const reasons = faults.slice(0, 10).map((fault) => `- ${fault.path}: ${fault.message}`);
  const instruction = [
    'Your answer does not fit the required JSON schema:',
    ...reasons,
    'Answer again with the corrected JSON alone, without explanation and without a code fence.',
  ].join('\n');
  return {
    ...call.routeCall,
    // Authored lines were checked at load; a second serving of them could not differ.
    fallbackLines: [],
    messages: [
      ...call.routeCall.messages,
      { role: 'assistant', content: [{ kind: 'text', text: answer }] },
      { role: 'user', content: [{ kind: 'text', text: instruction }] },
    ],
  };
}

type CallBase = Omit<RouteCall, 'messages' | 'fallbackLines'>;

function callBase(request: GenerateRequest, id: string): CallBase {
  return {
    modelOverride: request.model,
    modelByCaller: request.model !== null,
    parameters: request.parameters,
    generationId: id,
    ...(request.tools.length === 0 ? {} : { tools: request.tools }),
    ...(request.toolChoice === null ? {} : { toolChoice: request.toolChoice }),
    ...(request.parallelToolCalls === null ? {} : { parallelToolCalls: request.parallelToolCalls }),
    ...(request.responseFormat === null ? {} : { responseFormat: request.responseFormat }),
    ...(Object.keys(request.extraFields).length === 0 ? {} : { extraFields: request.extraFields }),
  };
}

/** Body wins over front matter, field by field; the route's own defaults come last, inside the route. */
function mergedParameters(frontMatter: ModelParameters, body: ModelParameters): ModelParameters {
  return { ...frontMatter, ...body };
}

function responseFormatOf(version: PromptVersion): ResponseFormat | null {
  if (version.outputFormat !== 'json') return null;
  if (version.outputSchema === null) return { kind: 'json' };
  // Upstreams allow letters, digits, - and _ in a schema's name, 64 at most.
  const name = `${version.prompt}_${version.version}`.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64);
  return { kind: 'json_schema', name, schema: version.outputSchema };
}
