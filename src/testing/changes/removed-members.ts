/**
 * C2: a member that has applied its own removal stops. Whoever led goes on for a while, so that those who
 * now want to lead hear that the removal is committed (semantics O4).
 *
 * Who is away does not stop meanwhile: only time in which it does something counts.
 */
import { decodeMemberList } from '../../codec/member-codec.js';
import type { OpenedNode } from '../../node/index.js';
import type { DriverRule, DriverRuleParts } from '../driver-rule.js';
import type { SimMachine } from '../sim-machine.js';

/** Election timeouts for which one that led goes on at most. */
const lingeringElections = 4;

/** @since 0.1.0 */
export class RemovedMembers implements DriverRule {
  readonly #parts: DriverRuleParts;

  constructor(parts: DriverRuleParts) {
    this.#parts = parts;
  }

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
          removal ??= { index, mayUs: led ? lingeringElections * this.#parts.electionUs : 0 };
        }
        observer.configured(index, state);
      },
      applied: (entries, results) => {
        if (removal !== undefined && (entries.at(-1)?.index ?? 0) >= removal.index) spentUs ??= 0;
        seenUs = this.#parts.nowUs();
        observer.applied(entries, results);
      },
      stepped: (raft) => {
        led = raft.role === 'leader';
        if (removal !== undefined && spentUs !== undefined) {
          const nowUs = this.#parts.nowUs();
          spentUs += Math.min(nowUs - seenUs, this.#parts.electionUs / 10);
          seenUs = nowUs;
          if (spentUs > removal.mayUs) {
            const spentMs = Math.round(spentUs / 1_000);
            const message = `${machine.name} goes on ${spentMs} ms after it applied its removal`;
            this.#parts.violated('C2', message);
          }
        }
        observer.stepped(raft);
      },
    };
  }
}
