/**
 * Writes take effect at most once (X4): every entry of the log is held against the rules of sessions,
 * and every value that a client put, which nobody puts twice, against the revision it got.
 */
import { binaryString } from '../../base/bytes.js';
import { isKontikiError } from '../../base/errors.js';
import { decodeCommand } from '../../codec/command-codec.js';
import type { ApplyResult, Entry, RequestId } from '../../node/index.js';
import { SessionRules } from '../checkers/session-rules.js';
import { revisionOf } from './store-watch.js';

/** @since 0.1.0 */
export class AtMostOnce {
  readonly #rules = new SessionRules();
  readonly #violated: (id: string, message: string) => void;
  /** Names of what is executed, by index. */
  readonly #executed = new Map<number, RequestId>();
  /** Revisions that values of puts got. */
  readonly #puts = new Map<string, number>();
  #repeated = 0;
  #refused = 0;

  constructor(violated: (id: string, message: string) => void) {
    this.#violated = violated;
  }

  /** Entries that were not executed, by what became of them. */
  get counts(): Readonly<Record<string, number>> {
    return { 'requests.repeated': this.#repeated, 'requests.refused': this.#refused };
  }

  /**
   * Takes an entry, in the order of the log.
   *
   * @returns whether its command is executed
   */
  take({ data, index, type }: Entry, { value }: ApplyResult): boolean {
    if (data.length === 0 || type !== 'normal') return false;
    const { command, ...request } = decodeCommand(data);
    if (command.op === 'session-open') {
      this.#rules.opened(index, request);
      return false;
    }
    const verdict = this.#rules.takes(request, index);
    const isRefused = isKontikiError(value, 'SESSION_EXPIRED');
    if ((verdict === 'refused') !== isRefused) {
      const was = isRefused ? 'refused' : 'taken';
      this.#violated('X4', `entry ${index} was ${was}, by its session it is to be ${verdict}`);
    }
    if (verdict === 'repeated') this.#repeated += 1;
    if (verdict === 'refused') this.#refused += 1;
    const revision = revisionOf(value);
    if (command.op === 'put' && revision !== undefined) {
      const text = `${command.key} ${binaryString(command.value)}`;
      const first = this.#puts.get(text) ?? revision;
      this.#puts.set(text, first);
      if (first !== revision) {
        this.#violated('X4', `one put took effect at revision ${first} and at ${revision}`);
      }
    }
    if (verdict !== 'executed') return false;
    this.#executed.set(index, this.#rules.nameOf(request));
    return true;
  }

  /** Name of the request that the entry at an index executed; `undefined`: it executed none. */
  nameOf(index: number): RequestId | undefined {
    return this.#executed.get(index);
  }
}
