/** Whether the process is on its way out: thrown once, by the signal handler, before the listener closes. */
export interface DrainSwitch {
  isDraining(): boolean;
  begin(): void;
}

export function createDrainSwitch(): DrainSwitch {
  let draining = false;
  return {
    isDraining: () => draining,
    begin: () => {
      draining = true;
    },
  };
}
