/** A machine whose node the test plays: what it tells an observer is what the test says. */
import { encodeMemberList } from '../../../src/codec/member-codec.js';
import type { OpenedNode } from '../../../src/node/index.js';
import type { ConfState } from '../../../src/raft/index.js';
import type { RawNode } from '../../../src/raft/raw-node.js';
import type { DriverRule } from '../../../src/testing/driver-rule.js';
import { assertingObserver, type SimMachine } from '../../../src/testing/sim-machine.js';

/** @since 0.1.0 */
export class PlayedMachine {
  readonly #machine;
  /** Names of the machines that have taken its connections. */
  linkedTo: readonly string[] = [];
  role = 'follower';

  constructor(name: string, rule: DriverRule) {
    const stepped = (_raft: RawNode): void => undefined;
    this.#machine = { name, linkedTo: this.linkedTo, observer: { ...assertingObserver, stepped } };
    rule.observe(this.#machine as unknown as SimMachine);
  }

  open(memberId: number, dirId = 'a', state: ConfState = listed({})): void {
    const log = { initialState: () => state };
    const node = { memberId, dirId, log, raft: { role: this.role }, appliedIndex: 1 };
    this.#machine.observer.opened(node as unknown as OpenedNode);
  }

  configure(index: number, state: ConfState): void {
    this.#machine.observer.configured(index, state);
  }

  apply(index: number): void {
    this.#machine.observer.applied(
      [{ type: 'normal', index, term: 1, data: new Uint8Array() }],
      [],
    );
  }

  hear(from: number): void {
    this.#machine.observer.received({ from } as never);
  }

  step(): void {
    this.#machine.linkedTo = this.linkedTo;
    this.#machine.observer.stepped({ role: this.role } as RawNode);
  }
}

/** Members by id with their addresses, and those that were removed; the learners among them. */
export function listed(
  addresses: Readonly<Record<number, string>>,
  more: { readonly learners?: number[]; readonly removed?: number[] } = {},
): ConfState {
  const { learners = [], removed = [] } = more;
  const ids = Object.keys(addresses).map(Number);
  const members = ids.map((id) => {
    return { id, name: `n${id}`, address: addresses[id] as string, promote: false };
  });
  const voters = ids.filter((id) => !learners.includes(id));
  return { voters, learners, context: encodeMemberList({ members, removed }) };
}
