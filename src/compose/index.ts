export { storageSettings } from './ledger-settings.ts';
export { startBanner } from './start-banner.ts';
export { type RunningGateway, startGateway } from './start-gateway.ts';
