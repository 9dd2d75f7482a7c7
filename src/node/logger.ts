/**
 * What an operator reads afterwards: the few facts in the life of a member, in a logger of their own
 * choice. Without one nothing is written anywhere.
 */
import type { KontikiError } from '../base/errors.js';
import type { MemberId } from '../raft/types.js';
import type { NodeEvents } from './events.js';

/**
 * Takes lines; `console` will do. Called inside a turn of the member: what it throws is thrown again
 * outside of it.
 *
 * @since 0.1.0
 */
export interface Logger {
  debug(message: string, fields: LogFields): void;
  info(message: string, fields: LogFields): void;
  warn(message: string, fields: LogFields): void;
  error(message: string, fields: LogFields): void;
}

/** Facts of a line: always `memberId`, and what docs/api/metrics.md lists for the message. @since 0.1.0 */
export interface LogFields {
  /** The member that writes. */
  readonly memberId: MemberId;
  readonly [name: string]: unknown;
}

type Writers = { readonly [E in keyof NodeEvents]: (fact: NodeEvents[E][0]) => void };

/** Writes the facts that a node reports. @since 0.1.0 */
export class NodeLog {
  readonly #logger: Logger;
  readonly #memberId: MemberId;
  #isLeading = false;

  /**
   * @param logger - takes the lines
   * @param memberId - of the node
   */
  constructor(logger: Logger, memberId: MemberId) {
    this.#logger = logger;
    this.#memberId = memberId;
  }

  /** An event of the node, as its listeners get it. */
  reported<E extends keyof NodeEvents>(event: E, ...[fact]: NodeEvents[E]): void {
    const writers: Writers = this.#writers;
    writers[event](fact);
  }

  /** The node is closed. */
  stopped(): void {
    this.#write('info', 'closed');
  }

  readonly #writers: Writers = {
    leader: ({ term, leaderId }) => this.#write('debug', 'leader known', { term, leaderId }),
    role: ({ term, role }) => {
      const before = this.#isLeading;
      this.#isLeading = role === 'leader';
      if (this.#isLeading) this.#write('info', 'became leader', { term });
      else if (before) this.#write('warn', 'stepped down', { term });
      else this.#write('debug', 'role changed', { term, role });
    },
    peer: ({ memberId: peerId, connected }) => {
      this.#write('debug', connected ? 'peer connected' : 'peer disconnected', { peerId });
    },
    refused: ({ memberId: peerId, error }) => this.#problem('warn', 'peer refused', error, peerId),
    incident: ({ error, address, memberId: peerId }) => {
      this.#write('warn', 'connection refused', { address, peerId, code: error.code, error });
    },
    snapshot: ({ kind, index, memberId: peerId, error }) => {
      const level = kind === 'failed' ? 'warn' : 'info';
      this.#write(level, `snapshot ${kind}`, { index, peerId, ...(error && { error }) });
    },
    members: ({ members }) => this.#write('info', 'members changed', { members }),
    space: ({ hasSpace }) => {
      if (hasSpace) this.#write('info', 'disk has space');
      else this.#write('error', 'disk full');
    },
    stall: ({ part, ms, isOver }) => {
      const isPast = isOver && part !== 'loop';
      this.#write(isPast ? 'info' : 'warn', isPast ? 'stall over' : 'stalled', { part, ms });
    },
    failed: ({ error }) => this.#problem('error', 'stopped', error),
  };

  #problem(level: 'warn' | 'error', what: string, error: KontikiError, peerId?: MemberId): void {
    this.#write(level, what, { peerId, code: error.code, error });
  }

  #write(level: keyof Logger, message: string, fields: Record<string, unknown> = {}): void {
    this.#logger[level](message, { memberId: this.#memberId, ...fields });
  }
}
