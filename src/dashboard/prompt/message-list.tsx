import type { Message } from '../api/wire-types.ts';

/** Rendered messages, as the model gets them. Always text: what stands in a variable is never markup. */
export function MessageList({ messages }: { readonly messages: readonly Message[] }) {
  return (
    <ol class="messages">
      {messages.map((message, index) => (
        <li key={index} class="message">
          <p class="message-role">{message.role}</p>
          <pre>{contentText(message.content)}</pre>
        </li>
      ))}
    </ol>
  );
}

function contentText(content: unknown): string {
  return typeof content === 'string' ? content : JSON.stringify(content, null, 2);
}
