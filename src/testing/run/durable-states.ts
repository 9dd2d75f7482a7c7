/**
 * S1, of states: what a machine called durable is there when it opens again; the log it stood for may be gone.
 */
import type { StateMachine } from '../../node/index.js';
import type { SimMachine } from '../sim-machine.js';

/** @since 0.1.0 */
export class DurableStates {
  readonly #isDamaged: (name: string) => boolean;
  readonly #onViolation: (id: string, message: string) => void;

  /**
   * @param isDamaged - whether a member was made to lose what it had
   * @param onViolation - told of a state that fell back
   */
  constructor(
    isDamaged: (name: string) => boolean,
    onViolation: (id: string, message: string) => void,
  ) {
    this.#isDamaged = isDamaged;
    this.#onViolation = onViolation;
  }

  /** Looks on from the next boot of a machine on, beside whoever does already. */
  observe(machine: SimMachine): void {
    const { name, observer, onCrash } = machine;
    let state: StateMachine | undefined;
    let [applied, durable, wipes] = [0, 0, machine.wipes];
    machine.observer = {
      ...observer,
      opened: (node) => {
        if (machine.wipes !== wipes) durable = 0;
        [state, applied, wipes] = [node.machine, node.appliedIndex, machine.wipes];
        if (applied < durable && !this.#isDamaged(name)) {
          const message = `${name} opened with the state of entry ${applied}, ${durable} was durable`;
          this.#onViolation('S1', message);
        }
        observer.opened(node);
      },
      applied: (entries, results) => {
        applied = entries.at(-1)?.index ?? applied;
        observer.applied(entries, results);
      },
      installed: (index) => {
        applied = index;
        observer.installed(index);
      },
    };
    machine.onCrash = () => {
      // As the log is cut: see `LogTrimmer`.
      durable = Math.max(durable, Math.min(applied, state?.durableIndex ?? 0));
      state = undefined;
      onCrash?.();
    };
  }
}
