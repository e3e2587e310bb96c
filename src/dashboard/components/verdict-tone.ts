/** `settled`: the evidence decides; `open`: it does not yet; `warning`: something is wrong with the evidence. */
export type VerdictTone = 'settled' | 'open' | 'warning';
