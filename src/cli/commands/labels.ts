import { AppError } from '../../kernel/index.ts';
import type { CliContext } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import {
  createGatewayCalls,
  type GatewayCalls,
  type GatewayOptions,
  gatewayPath,
  isObject,
  type JsonObject,
} from '../gateway-calls.ts';
import { printableText } from '../printable-text.ts';
import { UsageError } from '../usage-error.ts';
import { writeJson, writeLine } from '../write-output.ts';

export interface LabelName {
  readonly prompt: string;
  /** Without the `@`. */
  readonly label: string;
}

export interface LabelsMoveOptions extends GatewayOptions {
  readonly reason: string;
  /** Refuse the move when the label is not at this sequence any more. */
  readonly expectSequence?: number;
  /** Why it moves although its rollout gate is closed. */
  readonly overrideGate?: string;
}

export interface LabelsSetOptions extends LabelsMoveOptions {
  readonly experiment?: string;
}

export interface LabelsHistoryOptions extends GatewayOptions {
  readonly limit: number;
}

/** Moves a rollback looks back over: whoever needs more names the target. */
const ROLLBACK_MOVES = 50;

/** Where the labels of all prompts point, or those of one. */
export async function labelsList(
  prompt: string | null,
  options: GatewayOptions,
  context: CliContext,
): Promise<ExitCode> {
  const calls = createGatewayCalls(options, context);
  const families = prompt === null ? objectsOf((await calls.get('/prompts'))['prompts']) : [];
  const labels =
    prompt === null
      ? families.flatMap((family) => objectsOf(family['labels']))
      : objectsOf((await calls.get(gatewayPath('prompts', prompt, 'labels')))['labels']);
  if (options.json === true) await writeJson(context.stdout, { ok: true, labels });
  else if (labels.length === 0) {
    await writeLine(context.stdout, 'no labels: set one with `prompt-gateway labels set`');
  } else await writeMoves(labels, context);
  return EXIT.ok;
}

/** Moves a label to a version or an experiment. */
export async function labelsSet(
  name: LabelName & { readonly version: string | null },
  options: LabelsSetOptions,
  context: CliContext,
): Promise<ExitCode> {
  const { version } = name;
  const { experiment = null } = options;
  if ((version === null) === (experiment === null)) {
    throw new UsageError('name where the label goes: a version, or --experiment NAME');
  }
  const target = experiment === null ? { version } : { experiment };
  const moved = await move(createGatewayCalls(options, context), name, target, options);
  return reportMove(moved, options, context);
}

/** The moves of a label, newest first. */
export async function labelsHistory(
  name: LabelName,
  options: LabelsHistoryOptions,
  context: CliContext,
): Promise<ExitCode> {
  const state = await createGatewayCalls(options, context).get(`${pathOf(name)}?limit=${options.limit}`);
  const history = objectsOf(state['history']);
  if (options.json === true) await writeJson(context.stdout, { ok: true, ...name, history });
  else await writeMoves(history, context);
  return EXIT.ok;
}

/** Moves a label to where it last pointed before; somebody else's move in between makes it fail with `conflict`. */
export async function labelsRollback(
  name: LabelName,
  options: LabelsMoveOptions,
  context: CliContext,
): Promise<ExitCode> {
  const calls = createGatewayCalls(options, context);
  const state = await calls.get(`${pathOf(name)}?limit=${ROLLBACK_MOVES}`);
  const { target, sequence } = state;
  const now = JSON.stringify(target);
  const previous = objectsOf(state['history'])
    .map((event) => event['previous'])
    .find((each) => isObject(each) && JSON.stringify(each) !== now);
  if (!isObject(previous)) {
    throw new AppError(
      'invalid_request',
      `@${name.label} of ${name.prompt} has pointed to ${targetText(target)} only: there is nothing to go back to`,
    );
  }
  const moved = await move(calls, name, previous, {
    ...options,
    ...(typeof sequence === 'number' ? { expectSequence: options.expectSequence ?? sequence } : {}),
  });
  return reportMove(moved, options, context);
}

function move(
  calls: GatewayCalls,
  name: LabelName,
  target: JsonObject,
  { reason, expectSequence, overrideGate }: LabelsMoveOptions,
): Promise<JsonObject> {
  return calls.put(pathOf(name), {
    ...target,
    reason,
    ...(expectSequence === undefined ? {} : { expected_sequence: expectSequence }),
    ...(overrideGate === undefined ? {} : { override: { reason: overrideGate } }),
  });
}

async function reportMove(
  moved: JsonObject,
  options: GatewayOptions,
  context: CliContext,
): Promise<ExitCode> {
  if (options.json === true) await writeJson(context.stdout, { ok: true, ...moved });
  else {
    const { label, prompt, target, previous, sequence } = moved;
    const before = isObject(previous) ? `, before ${targetText(previous)}` : '';
    await writeLine(
      context.stdout,
      printableText(`moved: @${label} of ${prompt} to ${targetText(target)}${before} (sequence ${sequence})`),
    );
  }
  return EXIT.ok;
}

async function writeMoves(moves: readonly JsonObject[], context: CliContext): Promise<void> {
  const { default: Table } = await import('cli-table3');
  const table = new Table({
    head: ['prompt', 'label', 'target', 'sequence', 'moved at', 'by', 'reason'],
    colAligns: ['left', 'left', 'left', 'right'],
    style: { head: [], border: [] },
  });
  for (const { prompt, label, target, sequence, moved_at, actor, reason } of moves) {
    const cells = [prompt, `@${label}`, targetText(target), sequence, moved_at, actor, reason];
    table.push(cells.map((cell) => printableText(String(cell))));
  }
  await writeLine(context.stdout, table.toString());
}

function pathOf({ prompt, label }: LabelName): string {
  return gatewayPath('prompts', prompt, 'labels', label);
}

function targetText(target: unknown): string {
  if (!isObject(target)) return '-';
  const { version, experiment } = target;
  return typeof experiment === 'string' ? `experiment ${experiment}` : String(version);
}

function objectsOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
