export { createApp } from './create-app.ts';
export { createDrainSwitch, type DrainSwitch } from './drain-switch.ts';
export type { HttpServices, HttpSettings } from './http-services.ts';
export { createMetrics } from './metrics.ts';
export { type RunningServer, type SocketLimits, startServer } from './start-server.ts';
