import { GatewayError } from './gateway-error.ts';
import type {
  FeedbackEntry,
  FeedbackReceipt,
  GatewayFault,
  GenerateInput,
  Generation,
  GenerationHead,
} from './types.ts';
import type { ChosenVersion } from './version-rotation.ts';

/** The mapping between the client's records and the gateway's snake_case JSON: one function per shape. */

export type WireRecord = Readonly<Record<string, unknown>>;

/** `undefined` members vanish in JSON: not given stays not given. */
export function generateToWire(input: GenerateInput, chosen: ChosenVersion | null): WireRecord {
  const { parameters } = input;
  return {
    prompt: input.prompt,
    prompt_version: chosen?.promptVersion ?? input.promptVersion,
    assignment: (chosen === null ? input.assignment : chosen.assignment) ?? undefined,
    variables: input.variables,
    profile_features: input.profileFeatures,
    user_id: input.userId,
    session_id: input.sessionId,
    external_id: input.externalId,
    route: input.route,
    model: input.model,
    parameters:
      parameters === undefined
        ? undefined
        : {
            temperature: parameters.temperature,
            top_p: parameters.topP,
            top_k: parameters.topK,
            max_output_tokens: parameters.maxOutputTokens,
            stop: parameters.stop,
            seed: parameters.seed,
          },
    metadata: input.metadata,
    tags: input.tags,
  };
}

export function feedbackToWire(entry: FeedbackEntry, newId: () => string): WireRecord {
  if (entry.void === true) return { void: true, outcome_id: entry.outcomeId };
  return {
    generation_id: entry.generationId,
    score_id: entry.scoreId,
    external_id: entry.externalId,
    metric: entry.metric,
    value: entry.value,
    outcome_id: entry.outcomeId ?? newId(),
    occurred_at: entry.occurredAt instanceof Date ? entry.occurredAt.toISOString() : entry.occurredAt,
    tags: entry.tags,
    metadata: entry.metadata,
  };
}

export function headFromWire(value: unknown): GenerationHead {
  const wire = recordOf(value);
  return {
    id: requiredText(wire, 'id'),
    prompt: requiredText(wire, 'prompt'),
    promptVersion: requiredText(wire, 'prompt_version'),
    promptHash: textOf(wire, 'prompt_hash'),
    versionSource: textOf(wire, 'version_source'),
    label: textOf(wire, 'label'),
    experiment: textOf(wire, 'experiment'),
    arm: textOf(wire, 'arm'),
    propensity: numberOf(wire, 'propensity'),
    route: textOf(wire, 'route'),
  };
}

export function generationFromWire(value: unknown, replayed: boolean): Generation {
  const wire = recordOf(value);
  const usage = isRecord(wire['usage']) ? wire['usage'] : {};
  return {
    ...headFromWire(wire),
    text: requiredText(wire, 'text'),
    output: wire['output'] ?? null,
    toolCalls: listOf(wire, 'tool_calls').map((call) => ({
      id: textOf(call, 'id') ?? '',
      name: textOf(call, 'name') ?? '',
      arguments: textOf(call, 'arguments') ?? '',
    })),
    provider: textOf(wire, 'provider'),
    model: textOf(wire, 'model'),
    degraded: wire['degraded'] === true,
    finishReason: textOf(wire, 'finish_reason'),
    usage: {
      inputTokens: numberOf(usage, 'input_tokens'),
      outputTokens: numberOf(usage, 'output_tokens'),
    },
    costUsd: numberOf(wire, 'cost_usd'),
    latencyMs: numberOf(wire, 'latency_ms'),
    attempts: numberOf(wire, 'attempts'),
    recorded: wire['recorded'] !== false,
    createdAt: textOf(wire, 'created_at'),
    replayed: replayed || wire['replayed'] === true,
  };
}

export function receiptFromWire(value: unknown): FeedbackReceipt {
  const wire = recordOf(value);
  const accepted = numberOf(wire, 'accepted');
  const duplicates = numberOf(wire, 'duplicates');
  if (accepted === null || duplicates === null) throw invalidResponse('a receipt without its counts');
  return { accepted, duplicates, outcomeIds: textListOf(wire, 'outcome_ids') };
}

export function faultsFromWire(wire: WireRecord, name: string): readonly GatewayFault[] {
  return listOf(wire, name).map((fault) => ({
    path: textOf(fault, 'path') ?? '',
    message: textOf(fault, 'message') ?? '',
  }));
}

export function isRecord(value: unknown): value is WireRecord {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

export function recordOf(value: unknown): WireRecord {
  if (!isRecord(value)) throw invalidResponse('something that is no JSON object');
  return value;
}

export function textOf(wire: WireRecord, name: string): string | null {
  const value = wire[name];
  return typeof value === 'string' ? value : null;
}

export function numberOf(wire: WireRecord, name: string): number | null {
  const value = wire[name];
  return typeof value === 'number' ? value : null;
}

export function requiredText(wire: WireRecord, name: string): string {
  const value = textOf(wire, name);
  if (value === null) throw invalidResponse(`an object without the text \`${name}\``);
  return value;
}

export function requiredNumber(wire: WireRecord, name: string): number {
  const value = numberOf(wire, name);
  if (value === null) throw invalidResponse(`an object without the number \`${name}\``);
  return value;
}

export function textListOf(wire: WireRecord, name: string): readonly string[] {
  const value = wire[name];
  return Array.isArray(value) ? value.filter((text) => typeof text === 'string') : [];
}

export function listOf(wire: WireRecord, name: string): readonly WireRecord[] {
  const value = wire[name];
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

export function invalidResponse(what: string, cause?: unknown): GatewayError {
  return new GatewayError('invalid_response', `The gateway answered ${what}: is the base URL right?`, {
    cause,
  });
}
