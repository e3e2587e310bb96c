/** What others wrote must not move the cursor, colour the terminal or turn the direction of a line. */
export function printableText(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, (character) => (character === '\n' ? '\n' : ''));
}
