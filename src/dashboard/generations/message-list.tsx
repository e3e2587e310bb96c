import type { Message } from '../api/wire-types.ts';
import { contentText } from './generation-facts.ts';

interface MessageListProps {
  readonly messages: readonly Message[];
}

/** Messages of a call in the order the model reads them. Text is text here: markup in it stays letters. */
export function MessageList({ messages }: MessageListProps) {
  return (
    <ol class="messages">
      {messages.map((message, index) => (
        <li class="message" key={index}>
          <p class="message-role">{message.role}</p>
          <div class="message-text">{contentText(message.content)}</div>
        </li>
      ))}
    </ol>
  );
}
