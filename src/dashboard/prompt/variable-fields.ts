/** How a variable is edited: as it stands, or as JSON. */
export interface VariableField {
  readonly name: string;
  readonly kind: 'text' | 'json';
  readonly description: string | null;
  readonly isRequired: boolean;
  /** What the field holds at first: the default of the version. */
  readonly initialText: string;
}

interface VersionInput {
  readonly input_schema: Readonly<Record<string, unknown>> | null;
  readonly input_defaults: Readonly<Record<string, unknown>>;
}

export interface EditedVariables {
  readonly variables: Readonly<Record<string, unknown>>;
  /** Sent beside the variables, since templates read it as `profile`. */
  readonly profileFeatures: unknown;
  /** Fields whose text is no JSON, by name. */
  readonly faults: Readonly<Record<string, string>>;
}

const PROFILE = 'profile';

/** A field for each variable of a version, in the order of its schema. */
export function variableFields({
  input_schema: schema,
  input_defaults: defaults,
}: VersionInput): readonly VariableField[] {
  const properties = recordOf(schema?.['properties']);
  const required = schema?.['required'];
  return Object.entries(properties).map(([name, property]) => {
    const { type, description } = recordOf(property) as { type?: unknown; description?: unknown };
    const kind = type === 'string' ? 'text' : 'json';
    return {
      name,
      kind,
      description: typeof description === 'string' ? description : null,
      isRequired: Array.isArray(required) && required.includes(name),
      initialText: initialText(kind, name, defaults[name]),
    };
  });
}

/** The values that the texts stand for. An empty text leaves its variable to the version's default. */
export function editedVariables(
  fields: readonly VariableField[],
  textByName: Readonly<Record<string, string>>,
): EditedVariables {
  const variables: Record<string, unknown> = {};
  const faults: Record<string, string> = {};
  let profileFeatures: unknown = null;
  for (const { name, kind, initialText: initial } of fields) {
    const text = textByName[name] ?? initial;
    if (text.trim() === '') continue;
    const value = kind === 'text' ? text : parsed(text);
    if (value === undefined) faults[name] = 'This is not valid JSON.';
    else if (name === PROFILE) profileFeatures = value;
    else variables[name] = value;
  }
  return { variables, profileFeatures, faults };
}

function initialText(kind: VariableField['kind'], name: string, value: unknown): string {
  if (value === undefined) return name === PROFILE ? '{}' : '';
  return kind === 'text' && typeof value === 'string' ? value : JSON.stringify(value, null, 1);
}

/** Undefined: no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}
