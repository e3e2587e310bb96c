import type { Request, Response } from 'express';
import { AppError } from '../../kernel/index.ts';
import { createDashboardFiles, type DashboardFile, type Encoding } from '../dashboard-files.ts';
import type { HttpServices } from '../http-services.ts';
import { pathParameter } from '../read-query.ts';
import type { RouteDefinition } from '../route-definition.ts';
import { dashboardSecurityHeaders } from '../security-headers.ts';
import { sendText } from '../send-json.ts';

/** Names of assets hold a hash of their content: what a browser has, it never asks for again. */
const FOR_EVER = 'public, max-age=31536000, immutable';

/** Most wanted first. */
const ENCODINGS: readonly Encoding[] = ['br', 'gzip', 'identity'];

const NOT_BUILT = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>prompt-gateway</title>
    <link rel="icon" href="data:,">
  </head>
  <body>
    <main>
    <h1>The dashboard is not built</h1>
    <p>This gateway runs without its admin page. Run <code>npm run build</code> in its folder, then load this page again.</p>
    <p>Everything else works: the <a href="/docs">API</a>, and reports as CSV at <code>/analytics/prompts/tip/versions?format=csv</code>.</p>
    </main>
  </body>
</html>
`;

/**
 * The admin page. Its files hold no data, so everybody may read them; what it shows it asks the API for, as its reader.
 * Every path below `/admin` that is nothing else is a place within the page.
 */
export function dashboardRoutes({ settings }: HttpServices): readonly RouteDefinition[] {
  const files = createDashboardFiles(settings.dashboardFolder);
  const headers = dashboardSecurityHeaders();

  const sendPage = async (_request: Request, response: Response): Promise<void> => {
    const page = await files.page();
    for (const [name, value] of headers) response.setHeader(name, value);
    response.setHeader('Cache-Control', 'no-store');
    sendText(response, page === null ? 404 : 200, page ?? NOT_BUILT, 'text/html; charset=utf-8');
  };

  return [
    { method: 'get', path: '/admin', access: 'public', handle: sendPage },
    {
      method: 'get',
      path: '/admin/assets/*file',
      access: 'public',
      async handle(request, response) {
        const file = await files.asset(pathParameter(request, 'file'));
        if (file === null) {
          throw new AppError('not_found', 'The admin page has no such file: load the page again.');
        }
        for (const [name, value] of headers) response.setHeader(name, value);
        sendFile(request, response, file);
      },
    },
    { method: 'get', path: '/admin/*place', access: 'public', handle: sendPage },
  ];
}

function sendFile(request: Request, response: Response, file: DashboardFile): void {
  if (response.headersSent || response.destroyed) return;
  // One by one: of those that a browser takes equally gladly the smallest is ours to choose.
  const encoding = ENCODINGS.find((known) => request.acceptsEncodings([known]) !== false) ?? 'identity';
  const bytes = file.bytes[encoding];
  response.setHeader('Cache-Control', FOR_EVER);
  response.setHeader('Vary', 'Accept-Encoding');
  response.setHeader('Content-Type', file.contentType);
  if (encoding !== 'identity') response.setHeader('Content-Encoding', encoding);
  response.setHeader('Content-Length', bytes.byteLength);
  response.end(bytes);
}
