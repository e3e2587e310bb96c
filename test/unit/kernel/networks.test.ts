import { describe, expect, test } from '@jest/globals';
import { isMetadataHost, readNetwork } from '../../../src/kernel/index.ts';

describe('a metadata service', () => {
  test.each([
    'http://169.254.169.254/latest',
    'http://169.254.170.2/v2/credentials',
    // The same address in every spelling that URLs know.
    'http://2852039166/',
    'http://0xA9FEA9FE/',
    'http://0251.0376.0251.0376/',
    'http://169.254.43518/',
    'http://[::ffff:169.254.169.254]/',
    'http://[0:0:0:0:0:ffff:a9fe:a9fe]/',
    'http://[fd00:ec2::254]/',
    'http://[FD00:0EC2:0:0:0:0:0:254]/',
    'http://[fe80::1]/',
    'http://metadata.google.internal/',
    'http://METADATA.google.internal./',
    'http://100.100.100.200/',
  ])('is recognised in %s', (url) => {
    expect(isMetadataHost(new URL(url).hostname)).toBe(true);
  });

  test.each([
    'http://127.0.0.1:4000/',
    'http://[::1]/',
    'http://10.0.0.7/',
    'http://192.168.0.1/',
    'http://[fd00::7]/',
    'http://169.253.169.254/',
    'https://api.openai.com/v1',
    'http://metadata.example/',
    'http://litellm/',
  ])('is not %s', (url) => {
    expect(isMetadataHost(new URL(url).hostname)).toBe(false);
  });
});

test.each([
  ['10.0.0.7', { address: '10.0.0.7', prefixBits: 32, family: 'ipv4' }],
  ['10.0.0.0/8', { address: '10.0.0.0', prefixBits: 8, family: 'ipv4' }],
  ['fd00::/8', { address: 'fd00::', prefixBits: 8, family: 'ipv6' }],
  ['10.0.0.0/33', null],
  ['10.0.0', null],
  ['proxy.internal', null],
  ['', null],
])('%j is read as %j', (text, network) => {
  expect(readNetwork(text)).toEqual(network);
});
