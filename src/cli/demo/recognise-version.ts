export interface VersionSource {
  readonly version: string;
  /** Text of the prompt file. */
  readonly source: string;
}

/** Shorter pieces stand in every prompt and tell nothing. */
const MIN_PIECE_CHARACTERS = 12;

/**
 * Tells by which version a rendered prompt was made: the one of whose literal text (what stands between template
 * expressions) it holds the greatest share that not every version has. Null when none of it is there.
 */
export function createVersionRecogniser(
  sources: readonly VersionSource[],
): (rendered: string) => string | null {
  const candidates = sources.map(({ version, source }) => ({ version, pieces: literalPieces(source) }));
  const telling = candidates.map(({ version, pieces }) => ({
    version,
    pieces: pieces.filter((piece) => !candidates.every((other) => other.pieces.includes(piece))),
  }));
  return (rendered) => {
    const text = collapse(rendered);
    let best: string | null = null;
    let bestShare = 0;
    for (const { version, pieces } of telling) {
      const all = pieces.reduce((sum, piece) => sum + piece.length, 0);
      const found = pieces.reduce((sum, piece) => sum + (text.includes(piece) ? piece.length : 0), 0);
      const share = all === 0 ? 0 : found / all;
      if (share > bestShare) {
        best = version;
        bestShare = share;
      }
    }
    return best;
  };
}

function literalPieces(source: string): readonly string[] {
  const body = source.replace(/^---\n[\s\S]*?\n---\n/, '');
  return body
    .replace(/\{\{!--[\s\S]*?--\}\}/g, '{{}}')
    .split(/\{\{[\s\S]*?\}\}\}?|\n/)
    .map(collapse)
    .filter((piece) => piece.length >= MIN_PIECE_CHARACTERS);
}

function collapse(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
