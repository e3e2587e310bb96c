import type { IncomingMessage } from 'node:http';
import { AppError } from '../kernel/index.ts';

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

export type HostCheck = (request: Pick<IncomingMessage, 'headers' | 'url'>) => void;

/**
 * Decides whether a request is for a host of ours. A web page can make its own name resolve to 127.0.0.1 and then read an open
 * loopback gateway (DNS rebinding); the name it must send in `Host` gives it away. A target with a host of its own, as
 * proxies get it, would count for more than `Host` (RFC 9112, section 3.2.2) and is refused. Fails with `forbidden`.
 */
export function createHostCheck(allowedHosts: readonly string[]): HostCheck {
  const allowed = new Set([...LOOPBACK_NAMES, ...allowedHosts.map(normalise)]);
  // The same few values arrive again and again; refused ones are never kept, so the map stays bounded.
  const accepted = new Set<string>();
  return ({ headers: { host }, url = '/' }) => {
    if (!url.startsWith('/') && url !== '*') {
      throw new AppError('forbidden', 'This is no proxy: ask for a path, not for a URL.');
    }
    if (host !== undefined && accepted.has(host)) return;
    if (host === undefined || !allowed.has(hostName(host))) {
      throw new AppError(
        'forbidden',
        'The Host header names a host this gateway does not serve. Add the name to `server.allowed_hosts` in the configuration to allow it.',
      );
    }
    if (accepted.size < 100) accepted.add(host);
  };
}

function hostName(host: string): string {
  return normalise(host.replace(/:\d{1,5}$/, ''));
}

function normalise(name: string): string {
  const lower = name.toLowerCase().replace(/\.$/, '');
  return lower.includes(':') && !lower.startsWith('[') ? `[${lower}]` : lower;
}
