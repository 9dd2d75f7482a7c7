/**
 * What members do rarely, in many steps of which each must leave something sound: faults that wait for
 * it meet it a hundred times as often as those that come at any time.
 */
import type { StorageAppend } from '../../raft/ready.js';
import type { SimMachine } from '../sim-machine.js';

/**
 * `install`: a snapshot is about to take the place of log and state; `vote`: a vote, or the term of a
 * candidacy, is about to be written; `write`: entries that fill more than a sector are, which may tear;
 * `start`: the process has just been started; `trim`: a file of the log is about to go, whose entries
 * nobody needs.
 *
 * @since 0.1.0
 */
export type Moment = 'install' | 'start' | 'trim' | 'vote' | 'write';

const sectorBytes = 512;

/** Tells those who wait of the moments of all members. @since 0.1.0 */
export class Moments {
  readonly #waiting = new Map<Moment, Set<(name: string) => void>>();

  /** Looks on from the next boot of a machine on, beside whoever does already. */
  observe(machine: SimMachine): void {
    const { disk, name, observer } = machine;
    const { onRemove } = disk;
    disk.onRemove = (path, unlinks) => {
      onRemove?.(path, unlinks);
      if (path.endsWith('.wal')) this.reached(name, 'trim');
    };
    let isVoteOf = isNewVote();
    machine.observer = {
      ...observer,
      opened: (node) => {
        isVoteOf = isNewVote();
        observer.opened(node);
      },
      writing: (append) => {
        const isVote = isVoteOf(append);
        if (append.snapshot !== undefined) this.reached(name, 'install');
        else if (isVote) this.reached(name, 'vote');
        else if (bytesOf(append) > sectorBytes) this.reached(name, 'write');
        observer.writing(append);
      },
    };
  }

  /**
   * Waits for the next moment of a kind, whoever's it is.
   *
   * @returns waits no more; idempotent
   */
  next(moment: Moment, action: (name: string) => void): () => void {
    const waiting = this.#waiting.get(moment) ?? new Set();
    this.#waiting.set(moment, waiting);
    waiting.add(action);
    return () => waiting.delete(action);
  }

  /** A member is there. */
  reached(name: string, moment: Moment): void {
    const waiting = this.#waiting.get(moment);
    this.#waiting.delete(moment);
    for (const action of waiting ?? []) action(name);
  }
}

function bytesOf({ entries }: StorageAppend): number {
  return entries.reduce((sum, { data }) => sum + data.length, 0);
}

/** Tells writes of a vote from others, in one life. */
function isNewVote(): (append: StorageAppend) => boolean {
  let voted = 0;
  return ({ hardState }) => {
    if (hardState === undefined || hardState.vote === 0 || hardState.term === voted) return false;
    voted = hardState.term;
    return true;
  };
}
