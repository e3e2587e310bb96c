import { AppError, type Fault } from '../kernel/index.ts';
import type { LabelEvent, LabelMove, LabelTarget } from './label-types.ts';
import { describeTarget, type KnownTargets, nameFault, targetHash } from './labels-target.ts';

/** Prompt → label → version, or one of the two by name: as the configuration holds them. */
export type ConfiguredLabels = Readonly<Record<string, Readonly<Record<string, ConfiguredTarget>>>>;

type ConfiguredTarget = string | { readonly version: string } | { readonly experiment: string };

interface SeedParts {
  readonly known: KnownTargets;
  find(prompt: string, label: string): LabelEvent | null;
  all(): readonly LabelEvent[];
  append(first: Omit<LabelMove, 'id' | 'createdAtMs' | 'expectedSequence' | 'gate' | 'live'>): Promise<void>;
}

/** Actor of first values. */
const CONFIG_ACTOR = 'config';

export async function seedLabels(configured: ConfiguredLabels, parts: SeedParts): Promise<readonly Fault[]> {
  const faults: Fault[] = [];
  const warnings: Fault[] = [];
  const firsts: Parameters<SeedParts['append']>[0][] = [];
  for (const [prompt, labels] of Object.entries(configured)) {
    for (const [label, value] of Object.entries(labels)) {
      const path = `labels.${prompt}.${label}`;
      const to = toTarget(value);
      const event = parts.find(prompt, label);
      if (event !== null) {
        const warning = supersededBy(event, to);
        if (warning !== null) warnings.push({ path, message: warning });
        continue;
      }
      const target = checkedTarget(parts.known, prompt, label, to);
      if (target.fault !== null) faults.push({ path, message: target.fault });
      const reason = 'first value from the configuration';
      firsts.push({ prompt, label, to, toHash: target.hash, reason, actor: CONFIG_ACTOR, seeded: true });
    }
  }
  if (faults.length > 0) throw seedInvalid(faults);
  for (const first of firsts) await parts.append(first);
  return [...warnings, ...brokenLabels(parts)];
}

/** First values that a database without these labels would refuse. */
export function seedFaults(configured: ConfiguredLabels, known: KnownTargets): readonly Fault[] {
  return Object.entries(configured).flatMap(([prompt, labels]) =>
    Object.entries(labels).flatMap(([label, value]) => {
      const { fault } = checkedTarget(known, prompt, label, toTarget(value));
      return fault === null ? [] : [{ path: `labels.${prompt}.${label}`, message: fault }];
    }),
  );
}

export function toTarget(value: ConfiguredTarget): LabelTarget {
  if (typeof value === 'string') return { kind: 'version', version: value };
  return 'version' in value
    ? { kind: 'version', version: value.version }
    : { kind: 'experiment', experiment: value.experiment };
}

/** The configuration gives first values only: afterwards the history is the truth, or a restart would undo a rollback. */
function supersededBy(event: LabelEvent, to: LabelTarget): string | null {
  const inForce = describeTarget(event.to);
  if (inForce === describeTarget(to)) return null;
  return (
    `says ${describeTarget(to)}, but the label points to ${inForce} since ${new Date(event.createdAtMs).toISOString()}: ` +
    `the configuration gives first values only. Move it with PUT /prompts/${event.prompt}/labels/${event.label}`
  );
}

function checkedTarget(
  known: KnownTargets,
  prompt: string,
  label: string,
  to: LabelTarget,
): { readonly hash: string | null; readonly fault: string | null } {
  const fault = nameFault(label);
  if (fault !== null) return { hash: null, fault };
  try {
    return { hash: targetHash(known, prompt, to), fault: null };
  } catch (error) {
    if (error instanceof AppError) return { hash: null, fault: error.message };
    throw error;
  }
}

/** Labels that calls cannot use: their version or experiment is gone. */
function brokenLabels({ known, all }: SeedParts): readonly Fault[] {
  const prompts = new Set(known.registry().prompts.map(({ name }) => name));
  return all()
    .filter(({ prompt }) => prompts.has(prompt))
    .flatMap(({ prompt, label, to }) => {
      const { fault } = checkedTarget(known, prompt, label, to);
      const path = `prompts/${prompt}`;
      return fault === null
        ? []
        : [{ path, message: `label @${label} cannot be used: ${fault}. Move the label` }];
    });
}

function seedInvalid(faults: readonly Fault[]): AppError {
  const count = faults.length === 1 ? 'one fault' : `${faults.length} faults`;
  return new AppError('config_invalid', `the configured labels cannot be used: ${count}`, { faults });
}
