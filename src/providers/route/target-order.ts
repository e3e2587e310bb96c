import type { Random } from '../../kernel/index.ts';

interface Weighted {
  readonly weight: number;
  readonly order: number;
}

/**
 * The order in which one call tries its targets: ascending `order`, and within one order a random permutation in which
 * each next target is drawn with probability proportional to its weight among those left.
 */
export class TargetOrder<T extends Weighted> {
  readonly #groups: readonly (readonly T[])[];
  /** Set when there is nothing to draw, the usual case: then every call shares one list. */
  readonly #fixed: readonly T[] | null;

  constructor(targets: readonly T[]) {
    const byOrder = new Map<number, T[]>();
    for (const target of targets) {
      const group = byOrder.get(target.order);
      if (group === undefined) byOrder.set(target.order, [target]);
      else group.push(target);
    }
    this.#groups = [...byOrder.entries()].sort(([a], [b]) => a - b).map(([, group]) => group);
    this.#fixed = this.#groups.every((group) => group.length === 1) ? this.#groups.flat() : null;
  }

  draw(random: Random): readonly T[] {
    if (this.#fixed !== null) return this.#fixed;
    return this.#groups.flatMap((group) => (group.length === 1 ? group : permute(group, random)));
  }
}

function permute<T extends Weighted>(group: readonly T[], random: Random): T[] {
  const left = [...group];
  const drawn: T[] = [];
  while (left.length > 0) {
    const total = left.reduce((sum, target) => sum + target.weight, 0);
    let point = random.next() * total;
    let index = left.findIndex((target) => {
      point -= target.weight;
      return point < 0;
    });
    // Rounding can leave the point at the very end.
    if (index === -1) index = left.length - 1;
    drawn.push(...left.splice(index, 1));
  }
  return drawn;
}
