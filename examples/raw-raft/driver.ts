/**
 * A complete driver of the Raft core, storage in memory: everything a member has to do, in order.
 * Replace `MemoryLogStore` by a log on disk and `send` by a network, and it is a real one.
 */
import { Prng } from '../../src/base/prng.js';
import { decodeConfChange, type Message, RawNode } from '../../src/raft/index.js';
import { MemoryLogStore } from '../../src/storage/index.js';

export class Driver {
  readonly node: RawNode;
  /** The state machine: commands in the order in which every member applies them. */
  readonly applied: string[] = [];
  readonly inbox: Message[] = [];
  readonly #log: MemoryLogStore;
  readonly #send: (message: Message) => void;

  /** @param voters - the members that found the group, the same on each of them */
  constructor(id: number, voters: readonly number[], send: (message: Message) => void) {
    this.#log = new MemoryLogStore({ voters });
    this.#send = send;
    this.node = new RawNode({
      id,
      reader: this.#log,
      random: new Prng(id),
      asyncStorageWrites: false,
    });
  }

  /** Takes what arrived, then carries out what the core wants done until it wants nothing more. */
  async turn(): Promise<void> {
    for (const message of this.inbox.splice(0)) this.node.step(message);
    while (this.node.hasReady()) {
      const { messages, append, apply, fetch } = this.node.ready();
      for (const message of messages) this.#send(message);
      if (append !== undefined) {
        // Votes and acknowledgements are promises: they leave after the write, never before it.
        await this.#log.append(append);
        for (const message of append.responses) this.#send(message);
      }
      for (const entry of apply?.entries ?? []) {
        if (entry.type !== 'normal') this.node.applyConfChange(decodeConfChange(entry));
        // A new leader opens its term with an entry that holds no command.
        else if (entry.data.length > 0) this.applied.push(new TextDecoder().decode(entry.data));
      }
      this.node.advance();
      for (const range of fetch) {
        await this.#log.fetch(range);
        this.node.entriesFetched(range);
      }
    }
  }
}
