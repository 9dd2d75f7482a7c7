/**
 * Compares what members hold (DESIGN §4.21): each second a member tells the leader the hashes that are new,
 * and the leader raises the alarm of whoever is wrong. etcd's comparison is off by default and scans
 * everything, so hardly anybody had it on when members diverged (incident 13766).
 *
 * A leader whose own state is wrong lets another member lead: it answers nobody, and what it does for the
 * group, such as ending leases, it does by that state.
 */
import type { Timer, Timers } from '../base/clock.js';
import { encodeStateReport, type StateReport } from '../codec/store-question-codec.js';
import type { Keyspace } from '../mvcc/keyspace.js';
import type { MemberId, Node, NodeStatus } from '../node/index.js';
import { type ComparedGroup, HashComparison } from './hash-comparison.js';
import { proposeInTerm } from './propose-in-term.js';
import type { StateHashAt } from './state-hashes.js';

/** @since 0.1.0 */
export interface HashExchangeParts {
  readonly node: Pick<
    Node,
    'ask' | 'giveUpLeadership' | 'identity' | 'leadTerm' | 'propose' | 'status'
  >;
  readonly machine: {
    readonly keyspace: Pick<Keyspace, 'alarms'>;
    readonly stateHashes: readonly StateHashAt[];
  };
  readonly timers: Timers;
}

const exchangeMs = 1_000;

/** @since 0.1.0 */
export class HashExchange {
  readonly #parts: HashExchangeParts;
  readonly #id: MemberId;
  #comparison = new HashComparison();
  /** Whose leadership the comparison, or what the leader was told, belongs to. */
  #term = 0;
  /** What is told and compared is above it: an alarm that was ended is not raised by what was before. */
  #endedIndex = 0;
  /** The leader knows everything up to it. */
  #toldIndex = 0;
  /** Counted, not measured: whoever was away itself would take that for the silence of the others. */
  #hereMs = 0;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(parts: HashExchangeParts) {
    this.#parts = parts;
    this.#id = parts.node.identity.memberId;
    this.#arm();
  }

  /** The leader's: takes what a member holds. */
  take({ member, hashes }: StateReport): void {
    this.#inTerm(this.#parts.node.leadTerm);
    this.#comparison.take(member, this.#counted(hashes));
  }

  /** An alarm was ended by the entry at `index`. */
  ended(index: number): void {
    this.#endedIndex = index;
    this.#comparison = new HashComparison();
  }

  /** Role or alarms may have changed. */
  check(): void {
    const { node, machine } = this.#parts;
    if (!this.#isClosed && node.leadTerm > 0 && machine.keyspace.alarms.has(this.#id)) {
      const { alarms } = machine.keyspace;
      node.giveUpLeadership(({ id }) => !alarms.has(id));
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #arm(): void {
    this.#timer = this.#parts.timers.after(exchangeMs, () => void this.#exchange());
  }

  /** Never rejects. */
  async #exchange(): Promise<void> {
    const { leadTerm, status } = this.#parts.node;
    this.#inTerm(status.raft.term);
    // Refused, lost, or raised by another leader meanwhile: there is a next second.
    await (leadTerm > 0 ? this.#judge(leadTerm, status) : this.#tell()).catch(() => undefined);
    this.check();
    if (!this.#isClosed) this.#arm();
  }

  async #tell(): Promise<void> {
    const { node, machine } = this.#parts;
    const term = this.#term;
    const counted = this.#counted(machine.stateHashes);
    const hashes = counted.filter(({ index }) => index > this.#toldIndex);
    const last = hashes.at(-1);
    if (last === undefined) return;
    await node.ask(encodeStateReport({ kind: 'state-hashes', member: this.#id, hashes }));
    if (this.#term === term) this.#toldIndex = last.index;
  }

  async #judge(term: number, status: NodeStatus): Promise<void> {
    const { node, machine } = this.#parts;
    this.#hereMs += exchangeMs;
    this.#comparison.take(this.#id, this.#counted(machine.stateHashes));
    const alarmed = new Set(machine.keyspace.alarms.list().map(({ member }) => member));
    const group = groupOf(status, alarmed);
    for (const member of this.#comparison.judge(group, this.#hereMs)) {
      if (alarmed.has(member)) continue;
      await proposeInTerm(node, term, { op: 'alarm', member, isRaised: true });
    }
  }

  #counted(hashes: readonly StateHashAt[]): readonly StateHashAt[] {
    return hashes.filter(({ index }) => index > this.#endedIndex);
  }

  #inTerm(term: number): void {
    if (this.#term === term) return;
    this.#term = term;
    this.#toldIndex = 0;
    this.#comparison = new HashComparison();
  }
}

function groupOf({ raft }: NodeStatus, alarmed: ReadonlySet<MemberId>): ComparedGroup {
  const { voters, votersOutgoing, learners, learnersNext } = raft.configuration;
  const quorums = votersOutgoing.length === 0 ? [voters] : [voters, votersOutgoing];
  const members = [...voters, ...votersOutgoing, ...learners, ...learnersNext];
  return { quorums, members, alarmed };
}
