/** A decision among 1,000 candidates takes about 60,000 characters; more than this is no line but a missing line end. */
const LONGEST_LINE_CHARACTERS = 4 * 1024 * 1024;

export interface LineSplitter {
  /** The next piece of the text; pieces may end anywhere. */
  push(text: string): void;
  /** The text is over: a last line needs no line end. */
  end(): void;
}

/**
 * Splits text that arrives in pieces into lines, in constant memory. Lines end with LF or CRLF and are numbered from 1.
 * `onLine` gets null for a line that is too long to be one.
 */
export function createLineSplitter(onLine: (lineNumber: number, line: string | null) => void): LineSplitter {
  let lineNumber = 1;
  let pending = '';
  let isTooLong = false;
  const emit = (line: string): void => {
    const isLineTooLong = isTooLong || line.length > LONGEST_LINE_CHARACTERS;
    onLine(lineNumber, isLineTooLong ? null : line.endsWith('\r') ? line.slice(0, -1) : line);
    lineNumber += 1;
    isTooLong = false;
  };
  return {
    push: (text) => {
      let start = 0;
      for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
        emit(pending + text.slice(start, end));
        pending = '';
        start = end + 1;
      }
      pending += text.slice(start);
      if (pending.length > LONGEST_LINE_CHARACTERS) {
        isTooLong = true;
        pending = '';
      }
    },
    end: () => {
      if (pending !== '' || isTooLong) emit(pending);
      pending = '';
    },
  };
}
