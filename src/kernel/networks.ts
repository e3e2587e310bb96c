import { BlockList, isIP } from 'node:net';

/** `10.0.0.7`, `10.0.0.0/8`, `fd00::/8`, read. */
export interface Network {
  readonly address: string;
  readonly prefixBits: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** Null: neither an address nor a network. */
export function readNetwork(text: string): Network | null {
  const [, address = '', prefix] = /^([0-9A-Fa-f.:]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  if (version === 0) return null;
  const mostBits = version === 4 ? 32 : 128;
  const prefixBits = prefix === undefined ? mostBits : Number(prefix);
  if (prefixBits > mostBits) return null;
  return { address, prefixBits, family: version === 4 ? 'ipv4' : 'ipv6' };
}

/** Whether an address lies in one of the networks. What {@link readNetwork} cannot read holds nothing. */
export function createNetworkCheck(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const text of networks) {
    const network = readNetwork(text);
    if (network !== null) list.addSubnet(network.address, network.prefixBits, network.family);
  }
  return (address) => {
    const version = isIP(address);
    return version !== 0 && list.check(address, version === 4 ? 'ipv4' : 'ipv6');
  };
}

/**
 * Where clouds answer with the credentials of the machine, to whoever can make it ask: the link-local networks, and
 * addresses of metadata services outside of them (AWS over IPv6, Alibaba, Oracle, Azure's wire server).
 */
const METADATA_NETWORKS = [
  '169.254.0.0/16',
  'fe80::/10',
  'fd00:ec2::254',
  'fd20:ce::254',
  '100.100.100.200',
  '192.0.0.192',
  '168.63.129.16',
];
const METADATA_NAMES: ReadonlySet<string> = new Set([
  'metadata',
  'metadata.google.internal',
  'metadata.goog',
  'metadata.azure.internal',
  'metadata.tencentyun.com',
  'instance-data',
  'instance-data.ec2.internal',
]);

const isMetadataAddress = createNetworkCheck(METADATA_NETWORKS);

/** Whether a host, as `URL.hostname` writes it or as a resolver answers, is such a place. */
export function isMetadataHost(host: string): boolean {
  const name = host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
  return METADATA_NAMES.has(name) || isMetadataAddress(withoutMapping(name));
}

/** `::ffff:169.254.169.254` and, as URLs write it, `::ffff:a9fe:a9fe`: IPv4 in the clothes of IPv6. */
function withoutMapping(address: string): string {
  const [, dotted, high, low] =
    /^::ffff:(?:(\d+\.\d+\.\d+\.\d+)|([0-9a-f]{1,4}):([0-9a-f]{1,4}))$/.exec(address) ?? [];
  if (dotted !== undefined) return dotted;
  if (high === undefined || low === undefined) return address;
  const [upper, lower] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return [upper >> 8, upper & 255, lower >> 8, lower & 255].join('.');
}
