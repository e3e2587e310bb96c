import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { createGatewayClient } from '../../../src/client/index.ts';
import { createRecommender } from './create-recommender.ts';
import { serveRecommender } from './serve-recommender.ts';
import { openTipStore } from './tip-store.ts';

/** What the gateway could not take is offered again this often, in milliseconds. */
const REPORT_EVERY_MS = 10_000;

const databasePath = process.env['RECOMMENDER_DATABASE'] ?? 'data/recommender.db';
mkdirSync(dirname(databasePath), { recursive: true });
const store = openTipStore(databasePath);
const recommender = createRecommender({
  gateway: createGatewayClient({
    baseUrl: process.env['GATEWAY_URL'] ?? 'http://127.0.0.1:8787',
    apiKey: process.env['PROMPT_GATEWAY_KEY'],
    // What is live is decided in the gateway: moving the label changes it within a second, without a deployment here.
    tipPromptVersion: process.env['TIP_PROMPT_VERSION'] ?? '@live',
  }),
  store,
  nowMs: Date.now,
  newId: randomUUID,
  random: Math.random,
});

const server = serveRecommender(recommender);
const port = Number(process.env['RECOMMENDER_PORT'] ?? 8788);
server.listen(port, '127.0.0.1', () => {
  const address = server.address();
  const bound = address !== null && typeof address === 'object' ? address.port : port;
  console.log(`recommender on http://127.0.0.1:${bound}`);
});

const report = (): Promise<unknown> =>
  recommender.reportOutcomes().catch((error: unknown) => console.error('reporting outcomes failed', error));
void report();
const timer = setInterval(report, REPORT_EVERY_MS);

const stop = (): void => {
  clearInterval(timer);
  // A last try; what is left is reported at the next start.
  server.close(() => void report().then(() => store.close()));
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
