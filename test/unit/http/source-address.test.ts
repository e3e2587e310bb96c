import { expect, test } from '@jest/globals';
import { createSourceAddress } from '../../../src/http/source-address.ts';

function sourceOf(remoteAddress: string, forwardedFor: string | null, trusted: readonly string[]): string {
  const request = {
    socket: { remoteAddress },
    headers: forwardedFor === null ? {} : { 'x-forwarded-for': forwardedFor },
  } as unknown as Parameters<ReturnType<typeof createSourceAddress>>[0];
  return createSourceAddress(trusted)(request);
}

test.each([
  ['an address', '203.0.113.9', null, [], '203.0.113.9'],
  ['IPv4 on a dual-stack socket', '::ffff:203.0.113.9', null, [], '203.0.113.9'],
  ['the network of an IPv6 address', '2001:db8:1:2:3:4:5:6', null, [], '2001:db8:1:2::/64'],
  ['a shortened IPv6 address', '2001:db8::6', null, [], '2001:db8:0:0::/64'],
  ['loopback', '::1', null, [], '0:0:0:0::/64'],
  ['what nobody trusted says', '203.0.113.9', '10.1.1.1', [], '203.0.113.9'],
  ['what another one than the proxy says', '203.0.113.9', '10.1.1.1', ['10.0.0.0/8'], '203.0.113.9'],
  ['the caller of a proxy', '10.0.0.7', '203.0.113.9', ['10.0.0.7'], '203.0.113.9'],
  ['the caller of two proxies', '10.0.0.7', '203.0.113.9, 10.0.0.8', ['10.0.0.0/8'], '203.0.113.9'],
  ['no hop that a caller made up', '10.0.0.7', '1.1.1.1, 203.0.113.9', ['10.0.0.0/8'], '203.0.113.9'],
  ['the proxy, when it names nobody', '10.0.0.7', null, ['10.0.0.0/8'], '10.0.0.7'],
  ['the proxy, when it says nonsense', '10.0.0.7', 'unknown', ['10.0.0.0/8'], '10.0.0.7'],
  ['a caller over IPv6', 'fd00::7', '2001:db8:9::1', ['fd00::/8'], '2001:db8:9:0::/64'],
])('counts by %s', (_what, remoteAddress, forwardedFor, trusted, source) => {
  expect(sourceOf(remoteAddress, forwardedFor, trusted)).toBe(source);
});
