import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { isMetadataHost } from '../../kernel/index.ts';

/**
 * Resolves names as Node does, and fails with `ELINKLOCAL` when one leads to a link-local address or a metadata
 * service: whoever can answer for a name that the configuration holds must not make the gateway fetch credentials.
 */
export function createGuardedLookup(resolve: LookupFunction = lookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, options, (error, address, family) => {
      if (error !== null) return callback(error, address, family);
      const addresses = typeof address === 'string' ? [address] : address.map((each) => each.address);
      if (!addresses.some(isMetadataHost)) return callback(null, address, family);
      const refusal = new Error(
        `${hostname} resolves to a link-local address or a metadata service; set "allow_link_local" of the provider if that is meant`,
      );
      callback(Object.assign(refusal, { code: 'ELINKLOCAL' }), address, family);
    });
  };
}
