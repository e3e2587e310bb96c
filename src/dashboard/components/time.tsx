import { formatAge, formatTime } from '../format.ts';

interface TimeProps {
  readonly time: string | null;
  /** `3 h ago`, with the full time for those who point at it. */
  readonly isAge?: boolean;
}

export function Time({ time, isAge = false }: TimeProps) {
  const text = formatTime(time);
  if (time === null) return <span>{text}</span>;
  return (
    <time dateTime={time} title={text}>
      {isAge ? formatAge(time, Date.now()) : text}
    </time>
  );
}
