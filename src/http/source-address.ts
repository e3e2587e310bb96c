import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { createNetworkCheck } from '../kernel/index.ts';

/** Groups of an IPv6 address that name a customer's network: whoever has one has every address in it. */
const NETWORK_GROUPS = 4;

/**
 * Where requests come from, for counting: an IPv4 address, or the network (`/64`) of an IPv6 address. Behind trusted
 * proxies the nearest hop of `X-Forwarded-For` that is not one of them; anybody else may write there what they like.
 */
export function createSourceAddress(
  trustedProxies: readonly string[],
): (request: Pick<IncomingMessage, 'socket' | 'headers'>) => string {
  const isTrusted = createNetworkCheck(trustedProxies);
  return ({ socket, headers }) => {
    // Undefined once the connection is gone: its answer reaches nobody.
    let address = plainAddress(socket.remoteAddress ?? '');
    if (trustedProxies.length === 0 || !isTrusted(address)) return networkOf(address);
    const hops = [headers['x-forwarded-for'] ?? ''].flat().join(',').split(',');
    for (const hop of hops.reverse()) {
      const named = plainAddress(hop.trim());
      // Left of what is no address nothing can be believed either.
      if (isIP(named) === 0) break;
      address = named;
      if (!isTrusted(address)) break;
    }
    return networkOf(address);
  };
}

/** A dual-stack socket shows IPv4 as `::ffff:10.0.0.7`. */
function plainAddress(address: string): string {
  return address.includes(':') ? address.replace(/^::ffff:(?=\d+\.)/i, '') : address;
}

function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.replace(/%.*$/, '').split('::');
  const groups = head === '' ? [] : head.split(':');
  const rest = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = tail === undefined ? 0 : Math.max(0, 8 - groups.length - rest.length);
  const all = [...groups, ...Array.from({ length: gap }, () => '0'), ...rest];
  return `${all.slice(0, NETWORK_GROUPS).join(':')}::/64`;
}
