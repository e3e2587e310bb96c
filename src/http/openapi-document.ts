import { OpenAPIRegistry, OpenApiGeneratorV31, type RouteConfig } from '@asteasolutions/zod-to-openapi';
import type { ErrorCode } from '../kernel/index.ts';
import { ERROR_STATUS } from './error-status.ts';
import { ROUTES } from './openapi-routes.ts';
import { openAiStatus } from './problem.ts';
import type { RouteDescription } from './route-description.ts';
import { openAiErrorSchema, problemSchema, socketProblemSchema } from './schemas/system-schema.ts';

/** What every route can answer. */
const ANY_ROUTE: readonly ErrorCode[] = ['forbidden', 'method_not_allowed', 'internal'];
/** Of routes that need a key: it may be missing or wrong, or too many wrong ones may have come before. */
const WITH_KEY: readonly ErrorCode[] = ['unauthorized', 'rate_limited'];
/** Answered by the socket, before there is a request, in one shape for every route. */
const REQUEST_TIMEOUT = 408;
const HEADERS_TOO_LARGE = 431;

/** OpenAPI 3.1, made from the schemas that validate. */
export function openApiDocument(gatewayVersion: string): object {
  const registry = new OpenAPIRegistry();
  registry.registerComponent('securitySchemes', 'apiKey', {
    type: 'http',
    scheme: 'bearer',
    description:
      'An API key, `pgw_<id>_<secret>`; also accepted as `x-api-key`. A gateway without any key asks for none.',
  });
  for (const route of ROUTES) registry.registerPath(routeConfig(route));
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'prompt-gateway',
      version: gatewayVersion,
      license: { name: 'MIT', identifier: 'MIT' },
      description:
        'An LLM gateway with a prompt registry that learns which prompt works. Errors are `application/problem+json` (RFC 9457); on `/v1` they take the shape of OpenAI.',
    },
    servers: [{ url: '/' }],
  });
}

function routeConfig(route: RouteDescription): RouteConfig {
  const { method, path, access, tag, summary, params, query, headers, body } = route;
  return {
    method,
    path,
    tags: [tag],
    summary,
    ...(access === 'public'
      ? { security: [] }
      : {
          security: [{ apiKey: [] }],
          description: `Needs a key with the scope \`${access}\`, once the gateway has keys.`,
        }),
    operationId: `${method}${path.replace(/[^a-zA-Z0-9]+(\w)?/g, (_match, letter: string | undefined) => (letter ?? '').toUpperCase())}`,
    request: {
      ...(params === undefined ? {} : { params }),
      ...(query === undefined ? {} : { query }),
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined
        ? {}
        : { body: { required: true, content: { 'application/json': { schema: body } } } }),
    },
    responses: { ...errorResponses(route), ...route.answers },
  };
}

/** Codes that share a status share its line. */
function errorResponses(route: RouteDescription): RouteConfig['responses'] {
  const isOpenAi = route.path.startsWith('/v1/');
  const codesByStatus = new Map<number, ErrorCode[]>();
  const always = route.access === 'public' ? ANY_ROUTE : [...ANY_ROUTE, ...WITH_KEY];
  for (const code of new Set([...always, ...route.codes])) {
    const status = isOpenAi ? openAiStatus(code) : ERROR_STATUS[code];
    codesByStatus.set(status, [...(codesByStatus.get(status) ?? []), code]);
  }
  const responses: RouteConfig['responses'] = {};
  for (const [status, codes] of codesByStatus) {
    responses[status] = {
      description: `\`${codes.join('`, `')}\``,
      content: isOpenAi
        ? { 'application/json': { schema: openAiErrorSchema } }
        : { 'application/problem+json': { schema: problemSchema } },
    };
  }
  if (route.body !== undefined) {
    responses[REQUEST_TIMEOUT] = { description: 'The body did not arrive in time; the connection closes.' };
  }
  responses[HEADERS_TOO_LARGE] = {
    description: 'Path, query and headers are larger than 16 KiB; the connection closes.',
    content: { 'application/problem+json': { schema: socketProblemSchema } },
  };
  return responses;
}
