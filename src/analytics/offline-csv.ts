/** Longer than any sensible record: an opening quote without its partner swallows the rest of the file. */
const LONGEST_RECORD_CHARACTERS = 1024 * 1024;

export interface CsvRecord {
  /** Line on which the record begins, from 1. */
  readonly lineNumber: number;
  readonly fields: readonly string[];
}

export interface CsvReader {
  /** The next piece of the text; pieces may end anywhere, also between CR and LF or two quotes. */
  push(text: string): void;
  /** The text is over: a last record needs no line end. */
  end(): void;
}

export interface CsvEvents {
  onRecord(record: CsvRecord): void;
  /** Text that is not CSV; reading goes on with the next line, so that one quote does not hide all later faults. */
  onFault(lineNumber: number, message: string): void;
}

/**
 * `start` of a field · `plain` inside an unquoted one · `quoted` inside quotes · `closing` after a quote inside quotes,
 * which either ends the field or is the first half of a doubled quote · `broken` skips the rest of a faulty line.
 */
type State = 'start' | 'plain' | 'quoted' | 'closing' | 'broken';

/**
 * Reads CSV as RFC 4180 describes it, in constant memory: comma, double quotes (doubled inside quotes), line ends inside
 * quotes, CRLF or LF. Empty lines are left out.
 */
export function createCsvReader(events: CsvEvents): CsvReader {
  let state: State = 'start';
  let fields: string[] = [];
  let field = '';
  let recordCharacters = 0;
  let lineNumber = 1;
  let recordLineNumber = 1;
  let hasCarriageReturn = false;

  const endField = (): void => {
    fields.push(field);
    field = '';
    state = 'start';
  };
  const endRecord = (): void => {
    if (state !== 'broken') {
      endField();
      const isEmptyLine = fields.length === 1 && recordCharacters === 0;
      if (!isEmptyLine) events.onRecord({ lineNumber: recordLineNumber, fields });
    }
    reset();
  };
  const reset = (): void => {
    state = 'start';
    fields = [];
    field = '';
    recordCharacters = 0;
  };
  const breakOff = (message: string): void => {
    events.onFault(recordLineNumber, message);
    reset();
    state = 'broken';
  };

  const read = (character: string): void => {
    recordCharacters += 1;
    switch (state) {
      case 'start':
        if (character === ',') endField();
        else if (character === '"') state = 'quoted';
        else {
          field = character;
          state = 'plain';
        }
        break;
      case 'plain':
        if (character === ',') endField();
        else if (character === '"')
          breakOff('a quote inside an unquoted field: quote the whole field and double it');
        else field += character;
        break;
      case 'quoted':
        if (character === '"') state = 'closing';
        else field += character;
        break;
      case 'closing':
        if (character === ',') endField();
        else if (character === '"') {
          field += '"';
          state = 'quoted';
        } else breakOff('text after a closing quote: a quote inside a quoted field must be doubled');
        break;
      case 'broken':
        break;
      default:
        state satisfies never;
    }
    if (recordCharacters > LONGEST_RECORD_CHARACTERS && state !== 'broken') {
      breakOff(`a record of more than ${LONGEST_RECORD_CHARACTERS} characters: is a closing quote missing?`);
    }
  };
  const next = (character: string): void => {
    if (hasCarriageReturn) {
      hasCarriageReturn = false;
      if (character !== '\n') read('\r');
    }
    if (character === '\n') {
      lineNumber += 1;
      if (state === 'quoted') read(character);
      else endRecord();
      if (recordCharacters === 0) recordLineNumber = lineNumber;
    } else if (character === '\r' && state !== 'quoted') {
      // Half of a line end, if LF follows.
      hasCarriageReturn = true;
    } else {
      read(character);
    }
  };

  return {
    push: (text) => {
      for (let index = 0; index < text.length; index += 1) next(text.charAt(index));
    },
    end: () => {
      hasCarriageReturn = false;
      if (state === 'quoted') events.onFault(recordLineNumber, 'the file ends inside a quoted field');
      else if (recordCharacters > 0) endRecord();
      reset();
    },
  };
}
