/**
 * C2: a member id belongs to one data directory. Whoever has heard a member takes no connection of another
 * directory under its id: that one has forgotten what the other voted for and acknowledged.
 *
 * Only what is taken counts. Who dials does not ask who answers, and what it sends then is of no use to
 * anybody: answers come over a connection of their own.
 */
import type { MemberId } from '../../raft/types.js';
import type { SimMachine } from '../sim-machine.js';

interface Self {
  readonly memberId: MemberId;
  readonly dirId: string;
}

/** @since 0.1.0 */
export class LostDirectories {
  readonly #violated: (id: string, message: string) => void;
  /** Who the member on a machine is, by its last start. */
  readonly #members = new Map<string, Self>();
  /** Directory that the member of an id has, by its last start. */
  readonly #directories = new Map<MemberId, string>();
  /** Whom the member in a directory has heard, and in which directory that one was. */
  readonly #heard = new Map<string, Map<MemberId, string>>();

  /** @param violated - told of a member that takes one directory for another */
  constructor(violated: (id: string, message: string) => void) {
    this.#violated = violated;
  }

  /** Looks on from the next boot of a machine on, beside whoever does already. */
  observe(machine: SimMachine): void {
    const { observer } = machine;
    /** The member that runs; another one with its id had another directory. */
    let second: Self | undefined;
    machine.observer = {
      ...observer,
      opened: (node) => {
        const { dirId, memberId } = node;
        const self = { dirId, memberId };
        const isSecond =
          (this.#directories.get(memberId) ?? dirId) !== dirId || second !== undefined;
        second = isSecond ? self : undefined;
        this.#members.set(machine.name, self);
        this.#directories.set(memberId, dirId);
        observer.opened(node);
      },
      received: (message) => {
        this.#received(machine.name, message.from);
        observer.received(message);
      },
      stepped: (raft) => {
        if (second !== undefined) this.#look(machine, second);
        observer.stepped(raft);
      },
    };
  }

  #received(name: string, from: MemberId): void {
    const self = this.#members.get(name);
    const sender = this.#directories.get(from);
    if (self === undefined || sender === undefined) return;
    const heard = this.#heard.get(self.dirId) ?? new Map<MemberId, string>();
    this.#heard.set(self.dirId, heard);
    if (!heard.has(from)) heard.set(from, sender);
  }

  #look(machine: SimMachine, { dirId, memberId }: Self): void {
    for (const name of machine.linkedTo) {
      const other = this.#members.get(name);
      const known = other && this.#heard.get(other.dirId)?.get(memberId);
      if (known === undefined || known === dirId) continue;
      const message = `${name} talks to ${machine.name} in a directory that is not the one it has met`;
      this.#violated('C2', message);
    }
  }
}
