/**
 * C2: a member id belongs to one data directory. Whoever has heard a member takes no connection of another
 * directory under its id: that one has forgotten what the other voted for and acknowledged.
 *
 * Only what is taken counts. Who dials does not ask who answers, and what it sends then is of no use to
 * anybody: answers come over a connection of their own.
 */
import type { MemberId } from '../../raft/types.js';
import type { DriverRule, DriverRuleParts } from '../driver-rule.js';
import type { SimMachine } from '../sim-machine.js';

interface Self {
  readonly memberId: MemberId;
  readonly dirId: string;
}

/** @since 0.1.0 */
export class LostDirectories implements DriverRule {
  readonly #violated: DriverRuleParts['violated'];
  /** Who the member on a machine is, by its last start. */
  readonly #members = new Map<string, Self>();
  /** Directories that the member of an id had, in the order in which it first started in them. */
  readonly #directories = new Map<MemberId, readonly string[]>();
  /** Whom the member in a directory has heard, and in which directory that one was. */
  readonly #heard = new Map<string, Map<MemberId, string>>();

  constructor({ violated }: Pick<DriverRuleParts, 'violated'>) {
    this.#violated = violated;
  }

  observe(machine: SimMachine): void {
    const { observer } = machine;
    /** The member that runs; another one with its id had another directory. */
    let second: Self | undefined;
    machine.observer = {
      ...observer,
      opened: (node) => {
        const { dirId, memberId } = node;
        const self = { dirId, memberId };
        const before = this.#directories.get(memberId) ?? [];
        const all = before.includes(dirId) ? before : [...before, dirId];
        second = all.length > 1 ? self : undefined;
        this.#members.set(machine.name, self);
        this.#directories.set(memberId, all);
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
    const sender = this.#directories.get(from)?.at(-1);
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
