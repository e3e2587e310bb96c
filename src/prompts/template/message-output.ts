import { AppError, type ChatMessage, type ContentPart } from '../../kernel/index.ts';

/** Roles a template may open. */
export type TemplateRole = 'system' | 'user' | 'assistant';

/**
 * Where a template writes. Text and structure arrive by different methods, so that no text, wherever it comes from,
 * can become structure: there is no marker to forge.
 */
export interface TemplateOutput {
  text(text: string): void;
  role(role: TemplateRole): void;
  history(): void;
  section(): void;
  media(url: string, contentType: string | null): void;
}

/**
 * Builds messages by the rules of the published format: a role opens a message unless the current one is still blank;
 * blank messages and blank parts are dropped; without `{{history}}` earlier turns stand before the last message when
 * it is the user's, else at the end.
 */
export class MessageOutput implements TemplateOutput {
  readonly #history: readonly ChatMessage[];
  readonly #maxBytes: number;
  readonly #messages: ChatMessage[] = [];
  #role: TemplateRole = 'user';
  #parts: ContentPart[] = [];
  /** A section alone makes a message occupied, though it sends nothing. */
  #occupied = false;
  #text = '';
  #units = 0;
  #bytes = 0;
  #historyPlaced = false;

  constructor(history: readonly ChatMessage[], maxBytes: number) {
    this.#history = history;
    this.#maxBytes = maxBytes;
  }

  text(text: string): void {
    this.#units += text.length;
    // Every UTF-16 unit is at least one byte: a runaway loop stops here, exact bytes are counted once a part is whole.
    if (this.#units > this.#maxBytes) throw outputTooLarge(this.#maxBytes);
    this.#text += text;
  }

  role(role: TemplateRole): void {
    this.#closePart();
    if (this.#occupied) this.#closeMessage();
    this.#role = role;
  }

  history(): void {
    this.#closePart();
    this.#closeMessage();
    this.#role = 'assistant';
    // Once: a loop around the helper must not multiply what the caller sent.
    if (!this.#historyPlaced) this.#messages.push(...this.#history);
    this.#historyPlaced = true;
  }

  section(): void {
    this.#closePart();
    this.#occupied = true;
  }

  media(url: string, contentType: string | null): void {
    this.#closePart();
    this.#parts.push({ kind: 'media', url, contentType });
    this.#occupied = true;
  }

  /** The messages. Fails with `template_limit_exceeded`. */
  finish(): readonly ChatMessage[] {
    this.#closePart();
    this.#closeMessage();
    if (this.#historyPlaced || this.#history.length === 0) return this.#messages;
    const last = this.#messages.at(-1);
    return last?.role === 'user'
      ? [...this.#messages.slice(0, -1), ...this.#history, last]
      : [...this.#messages, ...this.#history];
  }

  #closePart(): void {
    this.#bytes += Buffer.byteLength(this.#text, 'utf8');
    if (this.#bytes > this.#maxBytes) throw outputTooLarge(this.#maxBytes);
    if (/\S/.test(this.#text)) {
      this.#parts.push({ kind: 'text', text: this.#text });
      this.#occupied = true;
    }
    this.#text = '';
  }

  #closeMessage(): void {
    if (this.#parts.length > 0) this.#messages.push({ role: this.#role, content: this.#parts });
    this.#parts = [];
    this.#occupied = false;
  }
}

/**
 * Handlebars indents every line of a partial that stands alone on an indented line, the empty rest after its last line
 * end excepted.
 */
export class IndentedOutput implements TemplateOutput {
  readonly #inner: TemplateOutput;
  readonly #indent: string;
  #atLineStart = true;

  constructor(inner: TemplateOutput, indent: string) {
    this.#inner = inner;
    this.#indent = indent;
  }

  text(text: string): void {
    if (text === '') return;
    const ended = text.endsWith('\n');
    const lines = (ended ? text.slice(0, -1) : text).split('\n');
    const indented = lines.join(`\n${this.#indent}`) + (ended ? '\n' : '');
    this.#inner.text(this.#atLineStart ? this.#indent + indented : indented);
    this.#atLineStart = ended;
  }

  role(role: TemplateRole): void {
    this.#startLine();
    this.#inner.role(role);
  }

  history(): void {
    this.#startLine();
    this.#inner.history();
  }

  section(): void {
    this.#startLine();
    this.#inner.section();
  }

  media(url: string, contentType: string | null): void {
    this.#startLine();
    this.#inner.media(url, contentType);
  }

  #startLine(): void {
    if (this.#atLineStart) this.#inner.text(this.#indent);
    this.#atLineStart = false;
  }
}

function outputTooLarge(maxBytes: number): AppError {
  return new AppError(
    'template_limit_exceeded',
    `the rendered prompt is larger than max_output_bytes (${maxBytes}): send shorter values or truncate them in the template`,
  );
}
