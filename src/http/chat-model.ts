import { AppError, listNames, nearestName } from '../kernel/index.ts';
import type { HttpServices } from './http-services.ts';

/** What the `model` of an OpenAI client means here. */
export type ChatTarget =
  | { readonly kind: 'prompt'; readonly prompt: string; readonly promptVersion: string | null }
  | { readonly kind: 'route'; readonly route: string };

const PROMPT_PREFIX = 'prompt/';

/** `prompt/NAME`, `prompt/NAME@VERSION`, `prompt/NAME@@LABEL` or a route. Fails with `route_not_found`. */
export function chatTarget(model: string, services: Pick<HttpServices, 'prompts' | 'routes'>): ChatTarget {
  if (model.startsWith(PROMPT_PREFIX)) {
    const reference = model.slice(PROMPT_PREFIX.length);
    const at = reference.indexOf('@');
    const prompt = at === -1 ? reference : reference.slice(0, at);
    const promptVersion = at === -1 ? null : reference.slice(at + 1);
    if (prompt !== '' && promptVersion !== '') return { kind: 'prompt', prompt, promptVersion };
  } else if (services.routes.names().includes(model)) {
    return { kind: 'route', route: model };
  }
  throw modelNotFound(model, chatModelNames(services));
}

/** Every model a client may name: prompts, their selectable versions, routes. */
export function chatModelNames({
  prompts,
  routes,
}: Pick<HttpServices, 'prompts' | 'routes'>): readonly string[] {
  const versions = prompts
    .current()
    .prompts.flatMap((family) => [
      `${PROMPT_PREFIX}${family.name}`,
      ...family.versions
        .filter((version) => !version.retired)
        .map((version) => `${PROMPT_PREFIX}${family.name}@${version.version}`),
    ]);
  return [...versions, ...routes.names()];
}

export function modelNotFound(model: string, known: readonly string[]): AppError {
  const nearest = nearestName(model, known);
  const hint = nearest === null ? '' : ` Did you mean ${nearest}?`;
  return new AppError(
    'route_not_found',
    `There is no model ${model.slice(0, 100)}.${hint} Known models: ${listNames(known)}.`,
    { faults: [{ path: 'model', message: 'is no known model' }], details: { known: known.slice(0, 100) } },
  );
}
