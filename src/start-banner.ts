import { relative } from 'node:path';
import type { RunningGateway } from './compose.ts';
import { gatewayVersion } from './version.ts';

/** What a person sees at the start: at most 20 lines, with two commands to copy. */
export function startBanner(gateway: RunningGateway): string {
  const { url, config, prompts, providers } = gateway;
  const inUse = providers.filter((provider) => provider.inUse && provider.kind !== 'offline');
  const families = prompts
    .current()
    .prompts.map((family) => `${family.name} ${family.versions.map((version) => version.version).join(' ')}`);
  const json = "-H 'content-type: application/json'";
  return [
    `prompt-gateway ${gatewayVersion()} listens on ${url}`,
    `  docs       ${url}/docs`,
    `  metrics    ${url}/metrics`,
    `  store      ${relative(process.cwd(), config.databaseFile)} (SQLite, durability: ${config.config.ledger.durability})`,
    `  prompts    ${families.join(', ')}`,
    `  providers  ${inUse.length === 0 ? 'offline' : inUse.map((provider) => provider.name).join(', ')}`,
    '  access     open, because it listens on loopback only',
    ...gateway.warnings.map((warning) => `  warning    ${warning.path}: ${warning.message}`),
    '',
    'Try it:',
    `  curl -s ${url}/generate ${json} -d '{"prompt":"tip","variables":{},"external_id":"tip-1"}'`,
    `  curl -s ${url}/feedback ${json} -d '{"external_id":"tip-1","metric":"completed","value":true}'`,
    '',
  ].join('\n');
}
