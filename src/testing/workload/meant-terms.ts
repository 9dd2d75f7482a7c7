/**
 * A write that a member passes on names the term of the leader it is meant for, and no leader of another
 * term takes it (X6, ADR 0003): on that rests that a write of an earlier term is certainly lost. What goes
 * wrong here seldom shows in an answer, because sessions let each write take effect once; so the rule
 * itself is checked, on the messages and on the log.
 */
import { decodeCommand } from '../../codec/command-codec.js';
import type { WireMessage } from '../../codec/wire-message.js';
import type { Entry } from '../../node/index.js';
import type { SimMachine } from '../sim-machine.js';
import { requestName } from './clients.js';

/** Where a request was passed on from, and to leaders of which terms. */
interface Passed {
  readonly from: number;
  readonly terms: Set<number>;
}

/** @since 0.1.0 */
export class MeantTerms {
  readonly #violated: (id: string, message: string) => void;
  readonly #passed = new Map<string, Passed>();
  /** Who led each term. */
  readonly #leaders = new Map<number, number>();

  constructor(violated: (id: string, message: string) => void) {
    this.#violated = violated;
  }

  /** Looks on from the next boot of a machine on, beside whoever does already. */
  watch(machine: SimMachine): void {
    const { observer, onSend } = machine;
    let memberId = 0;
    machine.observer = {
      ...observer,
      opened: (node) => {
        memberId = node.memberId;
        observer.opened(node);
      },
      stepped: (raft) => {
        if (raft.role === 'leader') this.#leaders.set(raft.term, memberId);
        observer.stepped(raft);
      },
    };
    machine.onSend = (message) => {
      this.#onSend(message);
      onSend?.(message);
    };
  }

  #onSend(message: WireMessage): void {
    if (message.kind !== 'forward-request') return;
    const { commands, from, term } = message;
    for (const command of commands) {
      const name = requestName(decodeCommand(command)) as string;
      const passed = this.#passed.get(name) ?? { from, terms: new Set() };
      this.#passed.set(name, passed);
      passed.terms.add(term);
    }
  }

  /** Takes an entry of the log, once. */
  take({ data, index, term, type }: Entry): void {
    if (data.length === 0 || type !== 'normal') return;
    const passed = this.#passed.get(requestName(decodeCommand(data)) as string);
    if (passed === undefined || passed.terms.has(term)) return;
    // Its own member leads by now.
    if (this.#leaders.get(term) === passed.from) return;
    const terms = [...passed.terms].join(', ');
    this.#violated(
      'X6',
      `entry ${index} of term ${term} was passed on to leaders of ${terms} alone`,
    );
  }
}
