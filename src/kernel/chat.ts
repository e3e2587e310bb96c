/** The words of a conversation, shared by prompts (which make them), providers (which send them) and the ledger. */

export interface TextPart {
  readonly kind: 'text';
  readonly text: string;
}

/** An image or file by URL or data URL. */
export interface MediaPart {
  readonly kind: 'media';
  readonly url: string;
  readonly contentType: string | null;
}

export type ContentPart = TextPart | MediaPart;

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON text exactly as the model wrote it: it may be invalid. */
  readonly argumentsText: string;
}

export type ChatMessage =
  | { readonly role: 'system'; readonly content: readonly ContentPart[] }
  | { readonly role: 'user'; readonly content: readonly ContentPart[] }
  | {
      readonly role: 'assistant';
      readonly content: readonly ContentPart[];
      readonly toolCalls?: readonly ToolCall[];
    }
  | { readonly role: 'tool'; readonly content: readonly ContentPart[]; readonly toolCallId: string };

/** Sampling and length settings. `undefined` means: not set, the upstream decides. */
export interface ModelParameters {
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly maxOutputTokens?: number;
  readonly stopSequences?: readonly string[];
  readonly seed?: number;
  readonly frequencyPenalty?: number;
  readonly presencePenalty?: number;
}

/** JSON Schema as plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** The text parts of a message, joined. */
export function textOf(content: readonly ContentPart[]): string {
  return content.map((part) => (part.kind === 'text' ? part.text : '')).join('');
}
