import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Response } from 'express';
import type { HttpServices } from '../http-services.ts';
import { openApiDocument } from '../openapi-document.ts';
import type { RouteDefinition } from '../route-definition.ts';
import { pageSecurityHeaders } from '../security-headers.ts';
import { sendText } from '../send-json.ts';

/** Only these files of the package are served: a list, not a folder. */
const ASSET_TYPES: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
};

/** Its own file: the page's policy allows no inline script. */
const INIT_SCRIPT = `window.addEventListener('load', () => {
  window.ui = SwaggerUIBundle({
    url: '/openapi.json',
    dom_id: '#swagger-ui',
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    validatorUrl: null,
  });
});
`;

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>prompt-gateway API</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/docs/swagger-ui.css">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/init.js"></script>
  </body>
</html>
`;

export function docsRoutes(services: HttpServices): readonly RouteDefinition[] {
  const pageHeaders = pageSecurityHeaders();
  let document: string | null = null;
  const sendPage = (response: Response, text: string, contentType: string): void => {
    for (const [name, value] of pageHeaders) response.setHeader(name, value);
    sendText(response, 200, text, contentType);
  };
  return [
    {
      method: 'get',
      path: '/openapi.json',
      access: 'public',
      handle(_request, response) {
        // Made at the first look: most processes never need it.
        document ??= JSON.stringify(openApiDocument(services.settings.gatewayVersion));
        sendText(response, 200, document, 'application/json; charset=utf-8');
      },
    },
    {
      method: 'get',
      path: '/docs',
      access: 'public',
      handle: (_request, response) => sendPage(response, PAGE, 'text/html; charset=utf-8'),
    },
    {
      method: 'get',
      path: '/docs/init.js',
      access: 'public',
      handle: (_request, response) => sendPage(response, INIT_SCRIPT, 'text/javascript; charset=utf-8'),
    },
    ...Object.entries(ASSET_TYPES).map(
      ([file, contentType]): RouteDefinition => ({
        method: 'get',
        path: `/docs/${file}`,
        access: 'public',
        async handle(_request, response) {
          sendPage(response, await readFile(assetPath(file), 'utf8'), contentType);
        },
      }),
    ),
  ];
}

function assetPath(file: string): string {
  return join(dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json')), file);
}
