import type { AppError, ModelParameters } from '../kernel/index.ts';
import type { ModelRequest, ModelResult, ModelStreamEvent, Usage } from './language-model.ts';
import type { FailureClass } from './provider-failure.ts';

/** One upstream call made on behalf of a request, in order. Stored in the row. */
export interface AttemptRecord {
  readonly provider: string;
  readonly model: string;
  /** Milliseconds after the route call began. */
  readonly startedMs: number;
  readonly durationMs: number;
  readonly outcome: 'ok' | FailureClass | 'skipped_open_circuit' | 'skipped_queue_full';
  readonly status: number | null;
  /** The failure's message, cut to 300 characters; null on success. */
  readonly error: string | null;
}

/** What the caller asks of a route: everything of a model request but the model, which target and override decide. */
export interface RouteCall extends Omit<ModelRequest, 'model'> {
  /** Model by request or front matter: overrides the targets' own (never that of `offline`). Null: the target's. */
  readonly modelOverride: string | null;
  /** The override comes with the request, not from the prompt: no caller may shut a target for the others. */
  readonly modelByCaller: boolean;
}

export interface RouteAnswer {
  readonly kind: 'answered';
  readonly result: ModelResult;
  readonly provider: string;
  readonly modelRequested: string;
  /** What was asked of the target that answered, with what its own configuration fills in. */
  readonly parameters: ModelParameters;
  readonly attempts: readonly AttemptRecord[];
  /** Answered by another target than the first one tried. */
  readonly fellBack: boolean;
  /** Authored lines instead of a model's answer. */
  readonly degraded: boolean;
  /** Milliseconds spent waiting for upstreams and backing off. */
  readonly providerMs: number;
  /** Milliseconds until the first content token; null when not streamed. */
  readonly firstTokenMs: number | null;
  readonly costNanoUsd: number | null;
  readonly costSource: 'upstream' | 'price_table' | null;
  /** Version of the price table when it was used. */
  readonly priceTableVersion: string | null;
}

export interface RouteRefusal {
  readonly kind: 'failed';
  /** Ready for the caller: code by failure class, message without upstream internals. */
  readonly error: AppError;
  readonly attempts: readonly AttemptRecord[];
  readonly providerMs: number;
  /** What a stream had delivered before it failed; null when nothing was sent. */
  readonly partial: {
    readonly text: string;
    readonly usage: Usage | null;
    readonly provider: string;
    readonly model: string;
    readonly firstTokenMs: number | null;
  } | null;
}

export type RouteOutcome = RouteAnswer | RouteRefusal;

export type RouteStreamEvent =
  | Exclude<ModelStreamEvent, { kind: 'done' }>
  /** Always the last event, exactly once. */
  | { readonly kind: 'outcome'; readonly outcome: RouteOutcome };

/** A named list of targets with one deadline for all tries. Never throws for upstream faults. */
export interface Route {
  readonly name: string;
  /** What this route would ask first, for `dry_run` and listings. */
  readonly targets: readonly {
    readonly provider: string;
    readonly model: string;
    readonly weight: number;
    readonly order: number;
  }[];
  generate(call: RouteCall, signal: AbortSignal): Promise<RouteOutcome>;
  /** Emits nothing before the first content token, so that fallback works until then. */
  stream(call: RouteCall, signal: AbortSignal): AsyncIterable<RouteStreamEvent>;
}

/** For `/readyz` and `/metrics`. */
export interface TargetHealth {
  readonly route: string;
  readonly provider: string;
  readonly model: string;
  readonly circuit: 'closed' | 'half_open' | 'open';
  readonly inFlight: number;
  readonly queued: number;
}

export interface Routes {
  /** Fails with `route_not_found`, listing the known ones. */
  get(name: string): Route;
  names(): readonly string[];
  health(): readonly TargetHealth[];
  close(): Promise<void>;
}
