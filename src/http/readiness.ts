import type { HttpServices } from './http-services.ts';

type PartStatus = 'ok' | 'degraded' | 'failed';

interface Part {
  readonly status: PartStatus;
  readonly detail: string | null;
}

export interface Readiness {
  readonly status: 'ready' | 'degraded' | 'not_ready';
  readonly draining: boolean;
  readonly parts: Readonly<Record<'database' | 'retention' | 'config' | 'prompts' | 'providers', Part>>;
}

/**
 * Whether traffic should come here. A provider that is down makes the gateway degraded, not unready: every replica
 * would be taken out at once, and authored lines could not be served any more. Everything asked is in memory (the
 * ledger probes its file itself), so nothing is cached: a balancer sees a full disk or the drain at once.
 */
export function readReadiness(
  services: Pick<
    HttpServices,
    'ledger' | 'retention' | 'config' | 'prompts' | 'routes' | 'drain' | 'settings'
  >,
): Readiness {
  const parts = readParts(services);
  const draining = services.drain.isDraining();
  const states = Object.values(parts).map((part) => part.status);
  if (draining || states.includes('failed')) return { status: 'not_ready', draining, parts };
  return { status: states.includes('degraded') ? 'degraded' : 'ready', draining, parts };
}

function readParts(
  services: Pick<HttpServices, 'ledger' | 'retention' | 'config' | 'prompts' | 'routes' | 'settings'>,
): Readiness['parts'] {
  return {
    database: databasePart(services.ledger, services.settings.onLedgerFailure),
    retention: retentionPart(services.retention),
    config: configPart(services.config),
    prompts: promptsPart(services.prompts),
    providers: providersPart(services.routes),
  };
}

/** A gateway that is told to serve without its ledger must not be taken out because of it. */
function databasePart(ledger: HttpServices['ledger'], onFailure: 'fail' | 'serve'): Part {
  const health = ledger.health();
  if (health.writable) return { status: 'ok', detail: null };
  const reason = health.reason ?? 'not writable';
  return onFailure === 'fail'
    ? { status: 'failed', detail: reason }
    : { status: 'degraded', detail: `answers are given unrecorded, feedback is refused: ${reason}` };
}

function retentionPart(retention: HttpServices['retention']): Part {
  const { failure, isFull, earlyFromMs, maxBytes } = retention.status();
  if (failure !== null) return { status: 'degraded', detail: `the last step failed: ${failure}` };
  if (isFull) {
    const detail = `the database is at ledger.retention.max_bytes (${maxBytes ?? 0}) and nothing more may be deleted: raise it`;
    return { status: 'degraded', detail };
  }
  if (earlyFromMs === null) return { status: 'ok', detail: null };
  const detail = `the size limit deletes calls whose outcomes may still come (from ${new Date(earlyFromMs).toISOString()} on all are there): raise ledger.retention.max_bytes`;
  return { status: 'degraded', detail };
}

function configPart(config: HttpServices['config']): Part {
  const { faults = [], needsRestart = [] } = config.status().lastReload ?? {};
  const [first] = faults;
  if (first !== undefined) {
    const count = faults.length === 1 ? 'one fault' : `${faults.length} faults, the first`;
    const detail = `the last reload was refused (${count}: ${first.path} ${first.message}); the configuration before it is in force`;
    return { status: 'degraded', detail };
  }
  return {
    status: 'ok',
    detail:
      needsRestart.length === 0 ? null : `needs a restart to come into force: ${needsRestart.join(', ')}`,
  };
}

function promptsPart(prompts: HttpServices['prompts']): Part {
  const failed = prompts.lastReload()?.failed ?? [];
  return failed.length === 0
    ? { status: 'ok', detail: null }
    : {
        status: 'degraded',
        detail: `the last reload failed (${failed.length === 1 ? 'one fault' : `${failed.length} faults`}); the prompts before it are in force`,
      };
}

function providersPart(routes: HttpServices['routes']): Part {
  const open = routes.health().filter((target) => target.circuit !== 'closed');
  if (open.length === 0) return { status: 'ok', detail: null };
  const names = open.map(
    (target) => `${target.route}/${target.provider}/${target.model} (${target.circuit})`,
  );
  return { status: 'degraded', detail: `circuits not closed: ${names.join(', ')}` };
}
