import { AppError } from '../kernel/index.ts';

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Decides whether a `Host` header is ours. A web page can make its own name resolve to 127.0.0.1 and then read an open
 * loopback gateway (DNS rebinding); the name it must send in `Host` gives it away.
 */
export function createHostCheck(allowedHosts: readonly string[]): (host: string | undefined) => void {
  const allowed = new Set([...LOOPBACK_NAMES, ...allowedHosts.map(normalise)]);
  // The same few values arrive again and again; refused ones are never kept, so the map stays bounded.
  const accepted = new Set<string>();
  return (host) => {
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
