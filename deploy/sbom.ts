/**
 * Prints the bill of materials of what is shipped, as CycloneDX 1.5 JSON, from the lockfile alone: needs no network and
 * nothing installed. npm's own `--omit dev` leaves out what tools need as well (zod, yaml): it is filtered here instead.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

interface Lockfile {
  readonly packages: Readonly<
    Record<string, { readonly name?: string; readonly version?: string; readonly dev?: boolean }>
  >;
}

interface BillOfMaterials {
  readonly metadata: { readonly component: { readonly name: string; readonly 'bom-ref': string } };
  readonly components: readonly { readonly 'bom-ref': string }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}

/** Dozens of kilobytes per hundred packages. */
const MAX_OUTPUT_BYTES = 64 * 1_024 * 1_024;

const root = new URL('../', import.meta.url);
const lockfile = JSON.parse(readFileSync(new URL('package-lock.json', root), 'utf8')) as Lockfile;
const shipped = new Set(
  Object.entries(lockfile.packages)
    .filter(([place, { dev }]) => place !== '' && dev !== true)
    .map(([place, { name, version }]) => `${name ?? place.split('node_modules/').at(-1)}@${version}`),
);

const run = spawnSync(
  'npm',
  ['sbom', '--package-lock-only', '--sbom-format=cyclonedx', '--sbom-type=application'],
  { cwd: root, encoding: 'utf8', maxBuffer: MAX_OUTPUT_BYTES },
);
if (run.status === 0) {
  const everything = JSON.parse(run.stdout) as BillOfMaterials;
  const { component } = everything.metadata;
  const isShipped = (ref: string): boolean => shipped.has(ref);
  const bill: BillOfMaterials = {
    ...everything,
    // npm calls it by the folder it was found in.
    metadata: { ...everything.metadata, component: { ...component, name: 'prompt-gateway' } },
    components: everything.components.filter((part) => isShipped(part['bom-ref'])),
    dependencies: everything.dependencies
      .filter(({ ref }) => ref === component['bom-ref'] || isShipped(ref))
      .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter(isShipped) })),
  };
  process.stdout.write(`${JSON.stringify(bill, null, 2)}\n`);
} else {
  process.stderr.write(run.stderr);
  process.exitCode = 1;
}
