// The log of one store as it was handed to the disk, over all its lives: where in it each command stands
// and under which name, which nobody outside the store decides. What the commands are it does not say:
// of each entry the caller says what it must be, and gets its own bytes of it.
import { equalBytes } from '../../src/base/bytes.js';
import { sessionIdEnd } from '../../src/base/session-id.js';
import { decodeCommand, encodeCommand } from '../../src/codec/command-codec.js';
import type { Command, LogPlace } from '../../src/mvcc/index.js';
import type { Entry } from '../../src/raft/types.js';

export class WrittenLog {
  /** Entry 1 first. */
  readonly #entries: Entry[] = [];
  /** The session of this life, once it has one, and its last request. */
  #session: { readonly id: number; readonly term: number; seq: number } | undefined;

  /** An entry at an index takes the place of all from there on. */
  wrote(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.index > this.#entries.length + 1) throw new Error(`a gap below ${entry.index}`);
      this.#entries.length = entry.index - 1;
      this.#entries.push(entry);
    }
  }

  /** What stands at an index, as far as a store may add it by itself. */
  kindOf(index: number): 'leader' | 'session-open' | 'command' | 'nothing' {
    const data = this.#entries[index - 1]?.data;
    if (data === undefined) return 'nothing';
    if (data.length === 0) return 'leader';
    return decodeCommand(data).command.op === 'session-open' ? 'session-open' : 'command';
  }

  termOf(index: number): number {
    return this.#entries[index - 1]?.term ?? 0;
  }

  /** The entry at a place, which must be this command under a name that is due to it. */
  take(place: LogPlace, command: Command): Entry {
    const { index, term } = place;
    const entry = this.#entries[index - 1];
    const wrong = (what: string) => new Error(`entry ${index}: ${what} for ${command.op}`);
    if (entry?.type !== 'normal' || entry.term !== term) throw wrong(`term ${entry?.term}`);
    const { session, seq, doneBelow } = decodeCommand(entry.data);
    const data = encodeCommand({ session, seq, doneBelow, command });
    if (!equalBytes(data, entry.data)) throw wrong('another command');
    if (command.op === 'session-open') {
      if (this.#session?.term === term) throw wrong('a second session');
      this.#session = { id: index, term, seq: 0 };
    }
    if (command.op === 'session-open' || isExpiry(command)) {
      if (session < sessionIdEnd) throw wrong(`session ${session}`);
    } else this.#checkName(session, seq, term, wrong);
    return { index, term, type: 'normal', data };
  }

  /** One member alone sends nothing twice: numbers only rise. */
  #checkName(session: number, seq: number, term: number, wrong: (what: string) => Error): void {
    const own = this.#session;
    if (own?.id !== session || own.term !== term) throw wrong(`session ${session}`);
    if (seq <= own.seq) throw wrong(`number ${seq} after ${own.seq}`);
    own.seq = seq;
  }
}

/** Only the leader that decided it may take it, so it needs no session. */
function isExpiry(command: Command): boolean {
  return command.op === 'lease-revoke' && command.expired !== undefined;
}
