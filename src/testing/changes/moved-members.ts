/**
 * C8: a change of an address changes nothing else about a member: who was a learner is none of the voters
 * afterwards, and the other way round (etcd issue 21736).
 */
import { decodeMemberList } from '../../codec/member-codec.js';
import { type ConfState, isVoter, restoreConfiguration } from '../../raft/index.js';
import type { DriverRule, DriverRuleParts } from '../driver-rule.js';
import type { SimMachine } from '../sim-machine.js';

/** What is known of a member that a change of its address must leave or may change. */
interface Seat {
  readonly name: string;
  readonly address: string;
  readonly votes: boolean;
}

/** @since 0.1.0 */
export class MovedMembers implements DriverRule {
  readonly #violated: DriverRuleParts['violated'];
  #seats: ReadonlyMap<number, Seat> = new Map();
  /** Of the newest change that somebody applied: before any other does, and in order. */
  #index = -1;

  constructor({ violated }: Pick<DriverRuleParts, 'violated'>) {
    this.#violated = violated;
  }

  observe(machine: SimMachine): void {
    const { observer } = machine;
    machine.observer = {
      ...observer,
      opened: (node) => {
        if (this.#index < 0) this.#take(node.appliedIndex, node.log.initialState());
        observer.opened(node);
      },
      configured: (index, state) => {
        if (index > this.#index) this.#take(index, state);
        observer.configured(index, state);
      },
    };
  }

  #take(index: number, state: ConfState): void {
    const before = this.#seats;
    this.#index = index;
    this.#seats = seatsOf(state);
    for (const [id, { address, name, votes }] of this.#seats) {
      const old = before.get(id);
      if (old === undefined || old.address === address || old.votes === votes) continue;
      const role = votes ? 'votes' : 'does not vote';
      this.#violated('C8', `${name} ${role} since it moved to ${address} at ${index}`);
    }
  }
}

function seatsOf(state: ConfState): ReadonlyMap<number, Seat> {
  const { context } = state;
  if (context === undefined) return new Map();
  const configuration = restoreConfiguration(state);
  return new Map(
    decodeMemberList(context).members.map(({ id, name, address }) => {
      return [id, { name, address, votes: isVoter(configuration, id) }];
    }),
  );
}
