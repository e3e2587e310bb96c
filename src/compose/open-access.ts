import { randomBytes } from 'node:crypto';
import {
  createKeyGuard,
  createKeyLimiter,
  createKeyRing,
  createSessions,
  createSignInLinks,
  type KeyGuard,
  type KeyLimiter,
  type KeyRing,
  type Sessions,
  type SignInLinks,
} from '../access/index.ts';
import { AppError, type Clock, type Logger } from '../kernel/index.ts';
import type { SqliteStorage } from '../storage/sqlite/index.ts';

const LOOPBACK_HOSTS = ['127.0.0.1', '::1', 'localhost'];

export interface Access {
  readonly keys: KeyRing;
  readonly sessions: Sessions;
  readonly links: SignInLinks;
  readonly guard: KeyGuard;
  readonly limits: KeyLimiter;
  close(): Promise<void>;
}

/** Keys, sign-in and limits. Fails with `config_invalid` when the port would be open to a network without any key. */
export async function openAccess(options: {
  readonly storage: Pick<SqliteStorage, 'apiKeys' | 'keySpend' | 'signInTokens'>;
  readonly host: string;
  readonly maxWrongKeysPerMinute: number;
  readonly clock: Clock;
  readonly logger: Logger;
}): Promise<Access> {
  const { storage, host, maxWrongKeysPerMinute: maxWrongPerMinute, clock, logger } = options;
  const keys = createKeyRing({ store: storage.apiKeys, clock, logger });
  await keys.load();
  if (keys.isOpen()) refuseOpenNetwork(host);
  keys.start();
  const links = createSignInLinks(storage.signInTokens, clock);
  return {
    keys,
    // Kept nowhere: a copy of the database signs in nobody, and a restart revives no session that was signed out.
    sessions: createSessions(randomBytes(32), clock),
    links,
    guard: createKeyGuard({ keys, links, maxWrongPerMinute, clock, logger }),
    limits: createKeyLimiter({ limitsOf: keys.limitsOf, spend: storage.keySpend, clock }),
    close: () => keys.close(),
  };
}

/** Without API keys whoever reaches the port may spend the provider's money. */
function refuseOpenNetwork(host: string): void {
  if (LOOPBACK_HOSTS.includes(host)) return;
  throw new AppError(
    'config_invalid',
    `refusing to listen on ${host}: there are no API keys, so only loopback is safe. Make one with \`prompt-gateway keys create admin --scopes admin\`, or set server.host (or HOST) to 127.0.0.1.`,
  );
}
