import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { useQuery } from '../router.ts';

export interface Choice {
  readonly value: string;
  readonly text: string;
}

interface FiltersProps {
  /** Tells several groups of one page apart. */
  readonly label?: string;
  readonly children: ComponentChildren;
}

/** Filters of a page, side by side. Each keeps its value in the address under its name. */
export function Filters({ label = 'Filters', children }: FiltersProps) {
  return (
    <search class="filters" aria-label={label}>
      {children}
    </search>
  );
}

interface FilterProps {
  /** Name in the address. */
  readonly name: string;
  readonly label: string;
  /** Other names that a change takes out of the address, such as the cursor of a page. */
  readonly resets?: readonly string[];
}

interface ChoiceFilterProps extends FilterProps {
  /** The first one stands for "not filtered" when its value is empty. */
  readonly choices: readonly Choice[];
  /** What is in force while the address says nothing; default: the empty choice. */
  readonly fallback?: string;
}

/** One of a few. A value of the address that is not among the choices is shown as it stands: it is in force. */
export function ChoiceFilter({ name, label, choices, fallback = '', resets = [] }: ChoiceFilterProps) {
  const [query, change] = useQuery();
  const id = useId();
  const value = query[name] ?? fallback;
  const isKnown = choices.some((choice) => choice.value === value);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        value={value}
        onChange={(event) => change({ ...cleared(resets), [name]: event.currentTarget.value })}
      >
        {!isKnown && <option value={value}>{value === '' ? 'default' : value}</option>}
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.text}
          </option>
        ))}
      </select>
    </div>
  );
}

interface TextFilterProps extends FilterProps {
  readonly placeholder?: string;
}

/** Free text. It counts when the reader leaves the field or presses Enter, not with each letter. */
export function TextFilter({ name, label, placeholder, resets = [] }: TextFilterProps) {
  const [query, change] = useQuery();
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="text"
        value={query[name] ?? ''}
        placeholder={placeholder}
        onChange={(event) => change({ ...cleared(resets), [name]: event.currentTarget.value.trim() })}
      />
    </div>
  );
}

/** A day, in UTC as the reports count. */
export function DateFilter({ name, label, resets = [] }: FilterProps) {
  const [query, change] = useQuery();
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="date"
        value={query[name]?.slice(0, 10) ?? ''}
        onChange={(event) => change({ ...cleared(resets), [name]: event.currentTarget.value })}
      />
    </div>
  );
}

function cleared(names: readonly string[]): Record<string, undefined> {
  return Object.fromEntries(names.map((name) => [name, undefined]));
}
