export { normaliseBaseUrl } from './base-url.ts';
export { finishStream } from './finish-stream.ts';
export { readServerSentEvents } from './server-sent-events.ts';
export { isEventStream, type ThinFetch, type ThinResponse } from './thin-fetch.ts';
export { createTransport, type Transport } from './transport.ts';
