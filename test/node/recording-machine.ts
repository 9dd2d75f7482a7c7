// A state machine that remembers what it was given. A command is text: session, seq, then anything.
import { utf8Bytes, utf8Text } from '../../src/base/bytes.js';
import { Deferred } from '../../src/base/deferred.js';
import type { ApplyResult, StateMachine } from '../../src/node/index.js';
import type { ProposalId } from '../../src/node/waiter.js';
import type { Entry } from '../../src/raft/types.js';

/** Bytes of a command, as `Node.propose` wants them made. */
export function command(text: string): (id: ProposalId) => Uint8Array {
  return ({ session, seq }) => utf8Bytes(`${session} ${seq} ${text}`);
}

export class RecordingMachine implements StateMachine {
  /** Texts in the order of their entries, from the first of the log on. */
  readonly applied: string[] = [];
  durableIndex = 0;
  closed = 0;
  isOpen = false;
  /** Throws what is put here at the next batch, or at open. */
  failure: unknown;
  /** Thrown at once, not as a promise, when it is closed. */
  closeFailure: unknown;
  #held: Deferred<void> | undefined;

  async open() {
    if (this.failure !== undefined) throw this.failure;
    this.isOpen = true;
    return { appliedIndex: this.durableIndex };
  }

  /** Lets no batch finish until `release`. */
  hold(): void {
    this.#held = new Deferred();
  }

  release(): void {
    this.#held?.resolve();
    this.#held = undefined;
  }

  async apply(entries: readonly Entry[]): Promise<readonly ApplyResult[]> {
    await this.#held?.promise;
    if (this.failure !== undefined) throw this.failure;
    return entries.map((entry) => this.#apply(entry));
  }

  #apply(entry: Entry): ApplyResult {
    this.durableIndex = entry.index;
    if (entry.data.length === 0) return { value: undefined };
    const [session, seq, text = ''] = utf8Text(entry.data).split(' ');
    this.applied.push(text);
    return { requestId: { session: Number(session), seq: Number(seq) }, value: `did ${text}` };
  }

  async flush() {}

  close(): Promise<void> {
    this.closed += 1;
    if (this.closeFailure !== undefined) throw this.closeFailure;
    return Promise.resolve();
  }
}
