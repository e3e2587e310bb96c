import type { Random } from '../../kernel/index.ts';

/** Longest fenced text unless `max=` says otherwise, in characters. */
export const DEFAULT_FENCE_CHARACTERS = 4_000;

/**
 * Characters that a reader does not see but a model may follow: controls (line feed and tab excepted), bidirectional
 * overrides and marks, zero-width spaces, interlinear and object replacement marks, and the tag block that can spell
 * hidden ASCII. Joiners (U+200C, U+200D) stay: scripts and emoji need them.
 */
const HIDDEN_CHARACTERS =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the purpose.
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffc\u{e0000}-\u{e007f}]/gu;

/** UTF-16 units looked at for each character that may remain. */
const ROOM_FOR_HIDDEN = 4;

/** A boundary that no value can foresee: 128 bits in hex, from the render's own randomness. */
export function drawBoundary(random: Random): string {
  let digits = '';
  for (let word = 0; word < 4; word += 1) {
    digits += Math.floor(random.next() * 0x1_0000_0000)
      .toString(16)
      .padStart(8, '0');
  }
  return digits;
}

/**
 * Untrusted text between two boundary lines. It lowers the risk of prompt injection and does not remove it: a model
 * may still follow what stands inside.
 */
export function fencedText(text: string, maxCharacters: number, label: string, boundary: string): string {
  // Cleaning costs the length of what it cleans: a long value is cut before, with room for what cleaning removes.
  const room = maxCharacters * ROOM_FOR_HIDDEN;
  const cleaned = text.slice(0, room).replace(/\r\n?/g, '\n').replace(HIDDEN_CHARACTERS, '');
  const cut = cutText(cleaned, maxCharacters);
  // A text that repeats the boundary (it was shown before, or guessed) must not close the fence.
  const body = cut.replaceAll(boundary, '') + (text.length > room && !cut.endsWith('…') ? '…' : '');
  return `<<${label} ${boundary}>>\n${body}\n<</${label} ${boundary}>>`;
}

/** At most `maxCharacters` code points, the last one `…` when something was cut off. */
export function cutText(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text;
  let end = 0;
  let keptEnd = 0;
  let count = 0;
  for (const character of text) {
    if (count === maxCharacters) return `${text.slice(0, keptEnd)}…`;
    count += 1;
    if (count < maxCharacters) keptEnd = end + character.length;
    end += character.length;
  }
  return text;
}
