/**
 * What one member of a simulated group went through, life after life, seen from outside: marks of
 * reliability §7.6 that cost the product nothing.
 */
import type { NodeObserver } from '../../node/observer.js';
import type { Raft } from '../../raft/raft.js';
import { coreOf } from '../../raft/raw-node.js';
import type { LogId, MemberId } from '../../raft/types.js';
import type { SimMachine } from '../sim-machine.js';
import { transitionMark } from './transition.js';

/** @since 0.1.0 */
export class MemberMarks {
  readonly #count: (mark: string) => void;
  #core: Raft | undefined;
  #role: Raft['role'] = 'follower';
  #first = 1;
  #last: LogId = { index: 0, term: 0 };

  /**
   * @param count - told of each mark
   */
  constructor(count: (mark: string) => void) {
    this.#count = count;
  }

  /** To whom a snapshot is sent anew, and no chunk of it yet. */
  readonly #begun = new Set<MemberId>();

  /** Whether it sends a snapshot, or takes one in; stale while it does not run. */
  get isSnapshotting(): boolean {
    if (this.#core === undefined) return false;
    const { log, progress, role } = this.#core;
    if (log.pendingSnapshot !== undefined) return true;
    return role === 'leader' && [...progress.values()].some(({ state }) => state === 'snapshot');
  }

  /** Looks on from the next boot of a machine on, beside whoever does already. */
  observe(machine: SimMachine): void {
    const { observer, onSend } = machine;
    const marks: Pick<NodeObserver, OwnHook> = {
      opened: (node) => {
        this.#opened(coreOf(node.raft));
        observer.opened(node);
      },
      received: (message) => {
        if (this.#core !== undefined) this.#count(transitionMark(this.#core, message));
        observer.received(message);
      },
      stepped: (node) => {
        this.#stepped();
        observer.stepped(node);
      },
      readAnswered: (read) => {
        const isAlone = this.#core?.configuration.voters.length === 1;
        if (!isAlone && read.byLease) this.#count('read.by-lease');
        observer.readAnswered(read);
      },
      sent: (message) => {
        if (message.kind === 'snapshot-request') {
          this.#count('snapshot.sent');
          this.#begun.add(message.to);
        }
        observer.sent(message);
      },
      installed: (appliedIndex) => {
        this.#count('snapshot.installed');
        observer.installed(appliedIndex);
      },
    };
    machine.observer = { ...observer, ...marks };
    machine.onSend = (message) => {
      onSend?.(message);
      if (message.kind !== 'snapshot-chunk' || !this.#begun.delete(message.to)) return;
      // The receiver has what an earlier stream brought.
      if (message.at > 0) this.#count('snapshot.resumed');
    };
  }

  /** A new life. */
  #opened(core: Raft): void {
    this.#core = core;
    this.#role = core.role;
    this.#first = core.log.firstIndex;
    this.#last = core.log.last;
  }

  #stepped(): void {
    if (this.#core === undefined) return;
    const { role, log } = this.#core;
    if (role !== this.#role) {
      this.#count(`role.${this.#role}>${role}`);
      this.#role = role;
    }
    const { firstIndex, lastIndex } = log;
    if (firstIndex > this.#first) this.#count('log.compacted');
    this.#first = firstIndex;
    if (lastIndex === this.#last.index) return;
    const term = log.term(this.#last.index);
    const isShorter = lastIndex < this.#last.index && firstIndex <= lastIndex;
    if (isShorter || (term !== undefined && term !== this.#last.term)) this.#count('log.truncated');
    this.#last = log.last;
  }
}

type OwnHook = 'opened' | 'received' | 'stepped' | 'readAnswered' | 'sent' | 'installed';
