import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import helmet from 'helmet';

/** Answers are data: nothing in them may be run, framed or fetched. */
const API_POLICY = { defaultSrc: ["'none'"], frameAncestors: ["'none'"] };

/**
 * The API page runs its own script and style files only. `data:` images stand in Swagger UI's style sheet; nothing is
 * inline and nothing comes from elsewhere.
 */
const PAGE_POLICY = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  fontSrc: ["'self'"],
  connectSrc: ["'self'"],
  frameAncestors: ["'none'"],
  baseUri: ["'none'"],
  formAction: ["'none'"],
};

/** The admin page: files of its own only, answers of its own origin only, nothing inline. */
const DASHBOARD_POLICY = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  connectSrc: ["'self'"],
  baseUri: ["'none'"],
  formAction: ["'self'"],
  frameAncestors: ["'none'"],
};

type Policy = Readonly<Record<string, string[]>>;

/** Helmet's headers are the same for every answer: they are worked out once, here, and not on each request. */
export function securityHeaders(): readonly (readonly [name: string, value: string])[] {
  return [...headersFor(API_POLICY), ['Cache-Control', 'no-store']];
}

export function pageSecurityHeaders(): readonly (readonly [name: string, value: string])[] {
  return [...headersFor(PAGE_POLICY), ['Cache-Control', 'public, max-age=3600']];
}

/** Without caching: the page and its files differ in that. */
export function dashboardSecurityHeaders(): readonly (readonly [name: string, value: string])[] {
  return headersFor(DASHBOARD_POLICY);
}

function headersFor(directives: Policy): readonly (readonly [name: string, value: string])[] {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  const middleware = helmet({
    contentSecurityPolicy: { useDefaults: false, directives },
    frameguard: { action: 'deny' },
    // TLS, and the promise to keep it, belong to the proxy in front.
    strictTransportSecurity: false,
  });
  middleware(response.req, response, () => {});
  return Object.entries(response.getHeaders()).map(([name, value]) => [name, String(value)] as const);
}
