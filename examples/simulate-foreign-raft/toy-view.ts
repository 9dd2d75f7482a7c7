/** How the invariants of kontiki see the toy: the one file that somebody with a Raft has to write. */
import type { MessageView, NodeView } from '../../src/testing/index.js';
import type { ToyMessage, ToyRaft } from './toy-raft.js';

export class ToyView implements NodeView {
  readonly id: number;
  /** The toy forgets nothing and never cuts its log. */
  readonly firstIndex = 1;
  readonly snapshotIndex = 0;
  readonly installing = 0;
  readonly configurationIndex = 0;
  readonly configuration;
  /** How far its state machine is: the simulation applies for it. */
  applied = 0;
  readonly #toy: ToyRaft;

  constructor(toy: ToyRaft) {
    this.id = toy.id;
    this.#toy = toy;
    const voters = [toy.id, ...toy.peers];
    this.configuration = { voters, votersOutgoing: [], learners: [], autoLeave: false };
  }

  get role() {
    return this.#toy.role;
  }

  get term() {
    return this.#toy.term;
  }

  get vote() {
    return this.#toy.vote;
  }

  get commit() {
    return this.#toy.commit;
  }

  get lastIndex() {
    return this.#toy.last;
  }

  /** Memory is its disk. */
  get durable() {
    return this;
  }

  termAt(index: number): number | undefined {
    return this.#toy.log[index]?.term;
  }

  hashAt(index: number): number {
    return this.#toy.log[index]?.command ?? 0;
  }

  isChangeAt(): boolean {
    return false;
  }
}

/** The toy's messages in the shapes that the invariants know. */
export function messageView(message: ToyMessage): MessageView {
  const { from, to, term } = message;
  switch (message.kind) {
    case 'vote':
      return { kind: 'vote-request', from, to, term };
    case 'voted':
      return { kind: 'vote-response', from, to, term, granted: message.granted };
    case 'append': {
      const { after, afterTerm, commit } = message;
      const entries = message.entries.map((entry, at) => ({
        index: after + 1 + at,
        term: entry.term,
      }));
      const previous = { index: after, term: afterTerm };
      return { kind: 'append-request', from, to, term, previous, entries, commit };
    }
    case 'appended': {
      const { upTo: index, ok } = message;
      const response = { kind: 'append-response', from, to, term, index } as const;
      return ok ? response : { ...response, hint: { index, term: 0 } };
    }
  }
}
