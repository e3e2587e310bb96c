import { AppError, type Fault, listNames, nearestName } from '../kernel/index.ts';

/** A fault of the configuration file or of the environment, with its parts apart for tools. */
export interface ConfigFault extends Fault {
  /** `gateway.config.json:14:9`, the file alone when it could not be read, or the variable's name. */
  readonly path: string;
  /** `routes.default.targets[1].provider`; null for faults of the environment and of the file as a whole. */
  readonly jsonPath: string | null;
  /** From 1; null when there is no place in the file. */
  readonly line: number | null;
  readonly column: number | null;
  /** Name of the environment variable; null for faults of the file. */
  readonly variable: string | null;
}

/** Of a base URL, in the file or in a variable. */
export const METADATA_BASE_URL =
  'names a link-local address or a metadata service, which hands out credentials of the machine; set "allow_link_local" of the provider if that is meant';

/** A fault of one environment variable. Its value is shown only where `message` does so. */
export function environmentFault(variable: string, message: string): ConfigFault {
  return { path: variable, message, jsonPath: null, line: null, column: null, variable };
}

/** The error every start refuses with: all faults at once. */
export function configInvalid(source: string, faults: readonly ConfigFault[]): AppError {
  const count = faults.length === 1 ? 'one fault' : `${faults.length} faults`;
  return new AppError('config_invalid', `${source} cannot be used: ${count}`, { faults });
}

/** ` (did you mean "metrics"?)`, or the known names when none is near. */
export function suggestion(name: string, known: readonly string[], noun: string): string {
  const near = nearestName(name, known);
  return near === null ? `; ${noun}: ${listNames(known)}` : ` (did you mean "${near}"?)`;
}
