import { isSeq, LineCounter, parseDocument, stringify } from 'yaml';
import { AppError } from '../kernel/index.ts';

/** The text of a `cases.yaml` with one case more at its end; what is there stays as it is, comments too. */
export function appendCase(text: string, promptCase: object): string {
  const document = parseDocument(text, { prettyErrors: false });
  const [problem] = document.errors;
  if (problem !== undefined) {
    throw new AppError('prompts_invalid', `cases.yaml is not valid YAML: ${problem.message}`);
  }
  const list = document.contents;
  if (list !== null && !isSeq(list)) {
    throw new AppError('prompts_invalid', 'cases.yaml must be a list of cases');
  }
  const added = stringify([promptCase], { lineWidth: 0 });
  const indent = list === null ? '' : ' '.repeat(columnOf(text, list.range?.[0] ?? 0));
  const whole = [
    text,
    text === '' || text.endsWith('\n') ? '' : '\n',
    text.trim() === '' ? '' : '\n',
    added.replace(/^(?=.)/gm, indent),
  ].join('');
  if (countCases(whole) === (list?.items.length ?? 0) + 1) return whole;
  // A list in brackets, or a file that ends its document: it cannot be added to by text alone.
  if (list === null) return added;
  document.add(promptCase);
  return document.toString({ lineWidth: 0 });
}

function columnOf(text: string, offset: number): number {
  const lineCounter = new LineCounter();
  parseDocument(text, { lineCounter, prettyErrors: false });
  return lineCounter.linePos(offset).col - 1;
}

/** Null when it cannot be read. */
function countCases(text: string): number | null {
  const document = parseDocument(text, { prettyErrors: false });
  return document.errors.length === 0 && isSeq(document.contents) ? document.contents.items.length : null;
}
