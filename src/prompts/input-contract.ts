import { AppError, type Fault, type JsonSchema, listNames, nearestName } from '../kernel/index.ts';
import { isPlainObject } from './picoschema.ts';
import { joinKeys, type SchemaValidator } from './schema-validator.ts';
import { didYouMean } from './source-file.ts';
import { isOpen, propertiesOf, resolveSchema } from './template/static-shape.ts';
import type { RenderInput } from './types.ts';

/** Names for assembled context: the gateway fills them, a caller cannot. */
export const RESERVED_VARIABLES = ['profile', 'signals', 'context'] as const;

/** Faults repeat what the caller sent: bounded in number and length. */
const MAX_UNKNOWN_FAULTS = 50;
const MAX_NAME_CHARACTERS = 100;

type Values = Readonly<Record<string, unknown>>;

export interface PreparedInput {
  /** Everything the template sees. */
  readonly data: Values;
  /** What the caller sent, then defaults, without the reserved names: what can be sent again. */
  readonly variables: Values;
}

/** What one version takes, prepared at load so that a render only fills in and checks. */
export interface InputContract {
  /** Fails with `template_input_invalid`, all faults at once. */
  prepare(input: Pick<RenderInput, 'variables' | 'profile'>): PreparedInput;
}

export interface InputContractOptions {
  readonly prompt: string;
  readonly version: string;
  readonly schema: JsonSchema | null;
  readonly validate: SchemaValidator | null;
  readonly defaults: Values;
}

export function createInputContract(options: InputContractOptions): InputContract {
  const { schema, validate } = options;
  const variables = readVariableNames(schema);
  const profile = readProfileContract(schema, options.defaults);
  const callerDefaults = withoutReserved(options.defaults);
  return {
    prepare(input) {
      const faults: Fault[] = [
        ...refuseReserved(input.variables),
        ...refuseUnknown(input.variables, variables),
      ];
      const given = definedOnly(input.variables);
      const profileValues = fillProfile(profile, input.profile);
      const data: Record<string, unknown> = { ...options.defaults, ...given };
      if (profileValues === null) delete data['profile'];
      else data['profile'] = profileValues;
      if (validate !== null) {
        for (const fault of validate(data, requestPlace)) {
          if (!faults.some((known) => known.path === fault.path)) faults.push(fault);
        }
      }
      if (faults.length > 0) throw inputInvalid(options, faults);
      return { data, variables: { ...callerDefaults, ...given } };
    },
  };
}

/** JSON path as the caller knows it: the template's `profile` is the request's `profile_features`. */
function requestPlace(keys: readonly string[]): string {
  const [first, ...rest] = keys;
  if (first === 'profile') return joinKeys(['profile_features', ...rest]);
  return joinKeys(['variables', ...keys]);
}

interface VariableNames {
  readonly known: readonly string[];
  readonly open: boolean;
}

function readVariableNames(schema: JsonSchema | null): VariableNames {
  if (schema === null) return { known: [], open: true };
  const parts = resolveSchema(schema, schema);
  return {
    known: [...new Set(parts.flatMap((part) => Object.keys(propertiesOf(part))))],
    open: parts.some(isOpen),
  };
}

function refuseReserved(variables: Values): Fault[] {
  return RESERVED_VARIABLES.filter((name) => Object.hasOwn(variables, name)).map((name) => ({
    path: `variables.${name}`,
    message:
      name === 'profile'
        ? '"profile" is reserved: send these values as profile_features'
        : `"${name}" is reserved: the gateway fills it, remove it`,
  }));
}

function refuseUnknown(variables: Values, names: VariableNames): Fault[] {
  if (names.open) return [];
  const reserved: readonly string[] = RESERVED_VARIABLES;
  const offered = names.known.filter((name) => !reserved.includes(name));
  return Object.keys(variables)
    .filter((name) => !names.known.includes(name) && !reserved.includes(name))
    .slice(0, MAX_UNKNOWN_FAULTS)
    .map((name) => ({
      path: joinKeys(['variables', name.slice(0, MAX_NAME_CHARACTERS)]),
      message: `unknown variable${didYouMean(nearestName(name, offered))}; known: ${listNames(offered)}`,
    }));
}

interface ProfileContract {
  /** False: the schema has no `profile`, what is sent goes unused. */
  readonly used: boolean;
  readonly required: boolean;
  /** Declared features; null: all are taken. */
  readonly names: ReadonlySet<string> | null;
  readonly defaults: Values;
}

function readProfileContract(schema: JsonSchema | null, defaults: Values): ProfileContract {
  const profileDefaults = isPlainObject(defaults['profile']) ? defaults['profile'] : {};
  if (schema === null) return { used: true, required: true, names: null, defaults: profileDefaults };
  const tops = resolveSchema(schema, schema);
  const declarations = tops
    .map((top) => propertiesOf(top)['profile'])
    .filter((declaration) => declaration !== undefined);
  const parts = declarations.flatMap((declaration) => resolveSchema(declaration, schema));
  const names = new Set(parts.flatMap((part) => Object.keys(propertiesOf(part))));
  return {
    used: declarations.length > 0,
    required: tops.some((top) => Array.isArray(top['required']) && top['required'].includes('profile')),
    names: parts.some(isOpen) ? null : names,
    defaults: profileDefaults,
  };
}

/**
 * Features the schema declares, null ones counting as missing, over their defaults. Null: `profile` stays out (it is
 * optional and nothing is known).
 */
function fillProfile(contract: ProfileContract, sent: Values | null): Values | null {
  if (!contract.used) return null;
  const known = Object.entries(sent ?? {}).filter(
    ([name, value]) =>
      value !== null && value !== undefined && (contract.names === null || contract.names.has(name)),
  );
  // Not by assignment: a feature named `__proto__` must stay a key like any other.
  const features: Values = Object.fromEntries([...Object.entries(contract.defaults), ...known]);
  return contract.required || Object.keys(features).length > 0 ? features : null;
}

function definedOnly(values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function withoutReserved(values: Values): Values {
  const reserved: readonly string[] = RESERVED_VARIABLES;
  return Object.fromEntries(Object.entries(values).filter(([name]) => !reserved.includes(name)));
}

function inputInvalid(options: InputContractOptions, faults: readonly Fault[]): AppError {
  const name = `${options.prompt}@${options.version}`;
  const first = faults[0];
  const message =
    faults.length === 1 && first !== undefined
      ? `${name} cannot be rendered: ${first.path}: ${first.message}`
      : `${name} cannot be rendered: ${faults.length} faults in its input, listed in errors`;
  return new AppError('template_input_invalid', message, {
    faults,
    details: { prompt: options.prompt, version: options.version },
  });
}
