interface FirstCall {
  /** Address of the gateway, as the reader reaches it. */
  readonly origin: string;
  /** The gateway asks for no key. */
  readonly isOpen: boolean;
  /** Null: the default one. */
  readonly prompt: string | null;
}

/** A command that makes the first call; with keys it reads one from the environment, so that none stands in a history. */
export function firstCallCommand({ origin, isOpen, prompt }: FirstCall): string {
  const body = prompt === null ? {} : { prompt };
  return curl(origin, isOpen, '/generate', { ...body, variables: {}, external_id: 'try-1' });
}

/** A command that reports the first outcome of a call. */
export function firstOutcomeCommand(
  call: Omit<FirstCall, 'prompt'> & {
    readonly generationId: string;
    readonly metric: string;
    readonly value: boolean | number | string;
  },
): string {
  return curl(call.origin, call.isOpen, '/feedback', {
    generation_id: call.generationId,
    metric: call.metric,
    value: call.value,
  });
}

function curl(origin: string, isOpen: boolean, path: string, body: object): string {
  const key = isOpen ? '' : ` -H "Authorization: Bearer $PROMPT_GATEWAY_KEY"`;
  // An apostrophe ends a quoted word of the shell.
  const json = JSON.stringify(body).replaceAll("'", "'\\''");
  return `curl -s ${origin}${path} -H 'content-type: application/json'${key} -d '${json}'`;
}
