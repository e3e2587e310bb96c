import type { Fault } from '../kernel/index.ts';
import { type ConfigOrigin, leafPaths } from './config-overrides.ts';
import type { Environment } from './environment.ts';
import { FIXED_VARIABLES, variablesNamedBy } from './environment-variables.ts';
import { formatJsonPath, type JsonPath } from './json-document.ts';
import type { LoadedConfig } from './load-config.ts';
import type { GatewayConfig } from './schema.ts';
import { valueAt } from './schema-fault.ts';

/** The configuration in force, fit to be shown: no value of a secret is in it. */
export interface ConfigDescription {
  readonly file: string;
  readonly hash: string;
  /** Every single value, in the order of the schema. */
  readonly values: readonly DescribedValue[];
  /** Variables by name: only whether they are set, never what they hold. */
  readonly variables: readonly DescribedVariable[];
  readonly warnings: readonly Fault[];
}

interface DescribedValue {
  /** `server.port` */
  readonly path: string;
  readonly value: unknown;
  readonly origin: ConfigOrigin;
}

interface DescribedVariable {
  readonly name: string;
  readonly isSet: boolean;
  /** What it is for, in words or by path. */
  readonly purpose: string;
}

/** What `config print` shows: each value in force with its origin, secrets as set or unset, passwords masked. */
export function describeConfig(loaded: LoadedConfig, environment: Environment): ConfigDescription {
  const values = leafPaths(loaded.config, []).map((path): DescribedValue => {
    const text = formatJsonPath(path);
    const variable = overridingVariable(loaded.config, path);
    const override = variable === null ? null : environment.secret(variable);
    if (override === null) {
      const value = maskPasswords(valueAt(loaded.config, path));
      return { path: text, value, origin: loaded.origins.get(text) ?? 'default' };
    }
    // The name of a model is no secret; a URL may carry one.
    const value = path.at(-1) === 'model' ? override : '(set)';
    return { path: text, value, origin: `environment ${variable}` };
  });
  return {
    file: loaded.file,
    hash: loaded.hash,
    values,
    variables: describeVariables(loaded.config, environment),
    warnings: loaded.warnings,
  };
}

/** `//user:password@host` with the password masked, in any text; other values as they are. */
function maskPasswords(value: unknown): unknown {
  return typeof value === 'string' ? value.replace(/(\/\/[^/@:\s]*):[^/@\s]*@/g, '$1:***@') : value;
}

function describeVariables(config: GatewayConfig, environment: Environment): readonly DescribedVariable[] {
  const named = variablesNamedBy(config);
  const isSet = (name: string): boolean => environment.secret(name) !== null;
  return [
    ...FIXED_VARIABLES.map(({ name, description }) => ({ name, isSet: isSet(name), purpose: description })),
    ...named.map(({ name, sets, requiredBy }) => ({
      name,
      isSet: isSet(name),
      purpose: [...sets, ...requiredBy.map((provider) => `turns on the provider ${provider}`)].join(', '),
    })),
  ];
}

/** The variable named beside a value that wins over it (`model_env` beside `model`); null when there is none. */
function overridingVariable(config: GatewayConfig, path: JsonPath): string | null {
  const key = path.at(-1);
  if (key !== 'model' && key !== 'base_url') return null;
  const variable = valueAt(config, [...path.slice(0, -1), `${key}_env`]);
  return typeof variable === 'string' ? variable : null;
}
