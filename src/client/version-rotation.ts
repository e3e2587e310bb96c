import type { Assignment } from './types.ts';

/** What a call sends: the version, and how it was chosen. */
export interface ChosenVersion {
  readonly promptVersion: string;
  /** Null: a label, which the gateway resolves and accounts for. */
  readonly assignment: Assignment | null;
}

export interface VersionRotation {
  /** `userId` makes the choice sticky; without one it is drawn anew each time. */
  choose(userId: string | undefined, random: () => number): ChosenVersion;
}

/** Resolution of the hash, as in GrowthBook's version 2. */
const BUCKETS = 10_000;

/**
 * Reads `v2`, `@live` or `v1,v1,v2`. A value that is listed twice is chosen twice as often. Null for empty text: no
 * rotation. Throws a TypeError on an empty element: a typo must not change the shares silently.
 */
export function parseRotation(text: string, seed: string): VersionRotation | null {
  if (text.trim() === '') return null;
  const versions = text.split(',').map((part) => part.trim());
  if (versions.includes('')) {
    throw new TypeError(`TIP_PROMPT_VERSION has an empty element: ${JSON.stringify(text)}.`);
  }
  const [only] = versions;
  if (only !== undefined && new Set(versions).size === 1) return fixedVersion(only);
  return {
    choose: (userId, random) => {
      const isSticky = userId !== undefined && userId !== '';
      const index = isSticky
        ? Math.floor((hashBucket(seed, userId) * versions.length) / BUCKETS)
        : Math.floor(random() * versions.length);
      const promptVersion = versions[Math.min(index, versions.length - 1)] ?? '';
      const times = versions.filter((version) => version === promptVersion).length;
      return {
        promptVersion,
        assignment: {
          method: 'client_rotation',
          unit: isSticky ? 'user_id' : null,
          propensity: times / versions.length,
        },
      };
    },
  };
}

/** Everybody gets it, with certainty: a deployment's choice, not somebody's choice for one call, hence not forced. */
function fixedVersion(promptVersion: string): VersionRotation {
  const assignment = promptVersion.startsWith('@')
    ? null
    : { method: 'client_fixed', unit: null, propensity: 1 };
  return { choose: () => ({ promptVersion, assignment }) };
}

/**
 * Bucket 0 to 9,999 of a unit: hash version 2 of the GrowthBook SDKs, two rounds of 32-bit FNV-1a, so that a unit falls
 * into the same bucket in every language and in every process.
 */
export function hashBucket(seed: string, unit: string): number {
  return fnv1a32(String(fnv1a32(seed + unit))) % BUCKETS;
}

/** FNV-1a, 32 bits (Fowler, Noll, Vo), over UTF-16 code units instead of bytes, as GrowthBook does it. */
function fnv1a32(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}
