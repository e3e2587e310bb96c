import { type ConfigFault, configInvalid, environmentFault } from './config-fault.ts';
import type { DefaultPromptVersion, Environment } from './environment.ts';

/** What was read, and everything that was wrong: faulty variables count as unset in `environment`. */
export interface EnvironmentReading {
  readonly environment: Environment;
  readonly faults: readonly ConfigFault[];
}

const PROMPT_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
/** A version (`v2`) or a label (`@live`). */
const VERSION_OR_LABEL = /^@?[a-z0-9][a-z0-9._-]{0,63}$/;
const VARIABLE = 'DEFAULT_PROMPT_VERSION';

/** Reads the environment. Fails with `config_invalid`, every faulty variable at once. Empty and blank mean unset. */
export function loadEnvironment(variables: Readonly<Record<string, string | undefined>>): Environment {
  const { environment, faults } = readEnvironment(variables);
  if (faults.length > 0) throw configInvalid('the environment', faults);
  return environment;
}

/** The same without throwing, for whoever reports faults of the file beside these. */
export function readEnvironment(variables: Readonly<Record<string, string | undefined>>): EnvironmentReading {
  // A copy: what the process runs with cannot change under it, and tests can pass any record.
  const values = new Map<string, string>();
  for (const [name, value] of Object.entries(variables)) {
    // Secrets from files often end in a line break, which no HTTP header may carry.
    const trimmed = value?.trim() ?? '';
    if (trimmed !== '') values.set(name, trimmed);
  }
  const read = (name: string): string | null => values.get(name) ?? null;
  const faults: ConfigFault[] = [];
  const environment: Environment = {
    port: readPort(read('PORT'), faults),
    host: read('HOST'),
    databaseUrl: read('DATABASE_URL'),
    configPath: read('GATEWAY_CONFIG'),
    defaultPromptVersion: readDefaultPromptVersion(read(VARIABLE), faults),
    logLevel: read('LOG_LEVEL'),
    secret: read,
  };
  return { environment: Object.freeze(environment), faults };
}

function readPort(value: string | null, faults: ConfigFault[]): number | null {
  if (value === null) return null;
  const port = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN;
  if (port <= 65_535) return port;
  faults.push(environmentFault('PORT', `expected a whole number from 0 to 65535, got ${quote(value)}`));
  return null;
}

function readDefaultPromptVersion(value: string | null, faults: ConfigFault[]): DefaultPromptVersion {
  let everywhere: string | null = null;
  const byPrompt = new Map<string, string>();
  const refuse = (message: string): void => {
    faults.push(
      environmentFault(VARIABLE, `${message}. Write v2, or tip=v2,digest=@live, or both: v1,tip=v2`),
    );
  };
  for (const entry of value === null ? [] : value.split(',')) {
    const [left = '', right, ...rest] = entry.split('=').map((part) => part.trim());
    const version = right ?? left;
    if (left === '' && right === undefined) {
      refuse('an entry is empty (a comma too many?)');
    } else if (rest.length > 0) {
      refuse(`${quote(entry.trim())} has more than one "="`);
    } else if (!VERSION_OR_LABEL.test(version)) {
      refuse(`${quote(version)} is neither a version (v2) nor a label (@live)`);
    } else if (right === undefined) {
      if (everywhere !== null) {
        refuse(`${quote(everywhere)} and ${quote(version)} both stand for every prompt: only one can`);
      } else {
        everywhere = version;
      }
    } else if (!PROMPT_NAME.test(left)) {
      refuse(`${quote(left)} is not the name of a prompt`);
    } else if (byPrompt.has(left)) {
      refuse(`the prompt ${quote(left)} stands twice`);
    } else {
      byPrompt.set(left, version);
    }
  }
  return { everywhere, byPrompt };
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
