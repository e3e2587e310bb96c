/** The part of an address after its question mark, name by name. */
export type Query = Readonly<Record<string, string | undefined>>;
