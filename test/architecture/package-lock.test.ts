import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

interface LockedPackage {
  readonly version?: string;
  readonly os?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const PLATFORM = /(?:^|[/-])(?:darwin|linux|win32|android|freebsd)-/;

// npm drops platform binaries that it could not resolve while locking, and `npm ci` then refuses the file on every platform.
test('package-lock.json holds the binaries of every platform, each bound to its platform', () => {
  const url = new URL('../../package-lock.json', import.meta.url);
  const { packages } = JSON.parse(readFileSync(url, 'utf8')) as {
    packages: Readonly<Record<string, LockedPackage>>;
  };
  const wanted = Object.entries(packages).flatMap(([parent, entry]) =>
    Object.keys(entry.optionalDependencies ?? {}).map((name) => ({ parent, name })),
  );

  const faults = wanted.flatMap(({ parent, name }) => {
    const locked = packages[`${parent}/node_modules/${name}`] ?? packages[`node_modules/${name}`];
    if (locked?.version === undefined) return [`${name} is missing`];
    return PLATFORM.test(name) && locked.os === undefined ? [`${name} names no os`] : [];
  });

  expect(wanted.length).toBeGreaterThan(0);
  expect(faults).toEqual([]);
});
