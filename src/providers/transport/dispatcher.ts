import { readFileSync } from 'node:fs';
import type { LookupFunction } from 'node:net';
import { createSecureContext, rootCertificates } from 'node:tls';
import { Agent, type Dispatcher, EnvHttpProxyAgent, Pool } from 'undici';
import { AppError, errorMessage } from '../../kernel/index.ts';
import { createGuardedLookup } from './guarded-lookup.ts';

export interface DispatcherOptions {
  /** `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`; null when unset. */
  readonly httpProxy: string | null;
  readonly httpsProxy: string | null;
  readonly noProxy: string | null;
  /** PEM files trusted beside the default roots. */
  readonly caFiles: readonly string[];
  readonly connectTimeoutMs: number;
  /** Names may resolve to link-local addresses and metadata services, too. */
  readonly allowLinkLocal: boolean;
  /** Default: the resolver of the system. */
  readonly resolve?: LookupFunction;
  /** Largest answer body, streams included, in bytes. */
  readonly maxResponseBytes: number;
}

/**
 * One connection pool for all upstreams of the process. Redirects are not followed (nothing here installs undici's
 * redirect interceptor), and time limits after the connection are the route's business.
 *
 * Fails with `config_invalid` when a CA file cannot be read or a proxy address is not a URL.
 */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const tlsOptions =
    options.caFiles.length === 0
      ? {}
      : // One context for all connections: parsing some 140 roots per connection costs milliseconds.
        {
          secureContext: createSecureContext({ ca: [...rootCertificates, ...readCaFiles(options.caFiles)] }),
        };
  // undici sets TCP_NODELAY on every socket it opens.
  const connect = {
    ...tlsOptions,
    timeout: options.connectTimeoutMs,
    ...(options.allowLinkLocal ? {} : { lookup: createGuardedLookup(options.resolve) }),
  };
  const poolOptions = {
    maxResponseSize: options.maxResponseBytes,
    headersTimeout: 0,
    bodyTimeout: 0,
    pipelining: 1,
  };
  if (options.httpProxy === null && options.httpsProxy === null)
    return new Agent({ ...poolOptions, connect });
  try {
    return new EnvHttpProxyAgent({
      ...poolOptions,
      connect,
      requestTls: connect,
      proxyTls: connect,
      // Plain http goes through a forward proxy as an absolute URL, as curl does it: many proxies refuse CONNECT to
      // other ports than 443. The pool to such a proxy is made with `connect` only, hence the factory.
      proxyTunnel: false,
      factory: (origin: string | URL, pool: Pool.Options) => new Pool(origin, { ...poolOptions, ...pool }),
      // Empty rather than undefined: undefined makes undici read the environment on its own.
      httpProxy: options.httpProxy ?? '',
      httpsProxy: options.httpsProxy ?? '',
      noProxy: options.noProxy ?? '',
    });
  } catch (error) {
    throw new AppError(
      'config_invalid',
      'HTTP_PROXY or HTTPS_PROXY is not a valid proxy address: write it as http://host:port.',
      { cause: error },
    );
  }
}

function readCaFiles(paths: readonly string[]): string[] {
  return paths.map((path) => {
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (error) {
      throw new AppError(
        'config_invalid',
        `network.ca_files: cannot read "${path}": ${errorMessage(error)}.`,
        {
          cause: error,
        },
      );
    }
    if (!text.includes('-----BEGIN CERTIFICATE-----')) {
      throw new AppError('config_invalid', `network.ca_files: "${path}" holds no PEM certificate.`);
    }
    return text;
  });
}
