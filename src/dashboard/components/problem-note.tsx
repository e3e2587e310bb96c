import type { GatewayProblem } from '../api/gateway-problem.ts';

interface ProblemNoteProps {
  readonly problem: GatewayProblem;
  /** Older numbers are still shown below. */
  readonly isStale?: boolean;
}

/** Why something did not work, in the gateway's own words: they say what to do. */
export function ProblemNote({ problem, isStale = false }: ProblemNoteProps) {
  return (
    <div class="note note-error" role="alert">
      <p class="note-title">{problem.title}</p>
      <p>{problem.message}</p>
      {problem.faults.length > 0 && (
        <ul>
          {problem.faults.map(({ path, message }) => (
            <li key={`${path} ${message}`}>
              {path !== '' && <code>{path}</code>} {message}
            </li>
          ))}
        </ul>
      )}
      {isStale && <p>What is shown below is what was known before.</p>}
      <p class="note-foot">
        <code>{problem.code}</code>
        {problem.requestId !== null && (
          <>
            {' '}
            · request <code>{problem.requestId}</code>
          </>
        )}
      </p>
    </div>
  );
}
