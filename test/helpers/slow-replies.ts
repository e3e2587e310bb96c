import { answerWhole, type FaultReply } from './faulty-upstream.ts';
import { endStream, sendDelta } from './scripted-upstream.ts';

/** An answer of `events` pieces, one each `everyMs`: streamed, or whole at its end. */
export function slowReply(events: number, everyMs: number): FaultReply {
  return (exchange) => {
    const { response, isStream } = exchange;
    let sent = 0;
    const timer = setInterval(() => {
      sent += 1;
      if (isStream) sendDelta(response, '.');
      if (sent < events) return;
      clearInterval(timer);
      if (isStream) endStream(response);
      else answerWhole(exchange);
    }, everyMs);
    response.on('close', () => clearInterval(timer));
  };
}
