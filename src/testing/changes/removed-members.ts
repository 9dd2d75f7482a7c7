/**
 * C2: a member that has applied its own removal stops. Whoever led goes on for a while, so that those who
 * now want to lead hear that the removal is committed (semantics O4).
 *
 * Who is away does not stop meanwhile: only time in which it does something counts.
 */
import { decodeMemberList } from '../../codec/member-codec.js';
import type { OpenedNode } from '../../node/index.js';
import type { SimMachine } from '../sim-machine.js';

/** Election timeouts for which one that led goes on at most. */
const lingeringElections = 4;

/** @since 0.1.0 */
export class RemovedMembers {
  readonly #nowUs: () => number;
  readonly #electionUs: number;
  readonly #violated: (id: string, message: string) => void;

  /**
   * @param nowUs - virtual time
   * @param electionMs - of the group
   * @param violated - told of a member that goes on
   */
  constructor(
    nowUs: () => number,
    electionMs: number,
    violated: (id: string, message: string) => void,
  ) {
    this.#nowUs = nowUs;
    this.#electionUs = electionMs * 1_000;
    this.#violated = violated;
  }

  /** Looks on from the next boot of a machine on, beside whoever does already. */
  observe(machine: SimMachine): void {
    const { observer } = machine;
    let node: OpenedNode | undefined;
    /** At its last step: the change itself ends the reign of a leader that it removes. */
    let led = false;
    /** The entry by which it was removed, and how long it may go on once that is applied. */
    let removal: { readonly index: number; readonly mayUs: number } | undefined;
    /** Since it was applied; `undefined` before. */
    let spentUs: number | undefined;
    let seenUs = 0;
    machine.observer = {
      ...observer,
      opened: (opened) => {
        node = opened;
        removal = undefined;
        spentUs = undefined;
        observer.opened(opened);
      },
      configured: (index, state) => {
        const { context } = state;
        const removed = context === undefined ? [] : decodeMemberList(context).removed;
        if (node !== undefined && removed.includes(node.memberId)) {
          removal ??= { index, mayUs: led ? lingeringElections * this.#electionUs : 0 };
        }
        observer.configured(index, state);
      },
      applied: (entries, results) => {
        if (removal !== undefined && (entries.at(-1)?.index ?? 0) >= removal.index) spentUs ??= 0;
        seenUs = this.#nowUs();
        observer.applied(entries, results);
      },
      stepped: (raft) => {
        led = raft.role === 'leader';
        if (removal !== undefined && spentUs !== undefined) {
          const nowUs = this.#nowUs();
          spentUs += Math.min(nowUs - seenUs, this.#electionUs / 10);
          seenUs = nowUs;
          if (spentUs > removal.mayUs) {
            const spentMs = Math.round(spentUs / 1_000);
            const message = `${machine.name} goes on ${spentMs} ms after it applied its removal`;
            this.#violated('C2', message);
          }
        }
        observer.stepped(raft);
      },
    };
  }
}
