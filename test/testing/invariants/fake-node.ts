/** A member of no Raft at all: every field is the test's to set, so that any rule can be broken. */
import type {
  ConfigurationView,
  DurableView,
  NodeView,
} from '../../../src/testing/invariants/node-view.js';
import { RaftChecker } from '../../../src/testing/invariants/raft-checker.js';
import {
  livenessInvariants,
  raftInvariants,
} from '../../../src/testing/invariants/raft-invariants.js';
import type { RaftStep } from '../../../src/testing/invariants/raft-step.js';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

export const three: ConfigurationView = {
  voters: [1, 2, 3],
  votersOutgoing: [],
  learners: [],
  autoLeave: false,
};

interface FakeEntry {
  readonly term: number;
  readonly hash: number;
  readonly isChange?: boolean;
}

export class FakeNode implements Writable<Omit<NodeView, 'durable'>> {
  readonly id: number;
  role: NodeView['role'] = 'follower';
  term = 0;
  vote = 0;
  commit = 0;
  applied = 0;
  firstIndex = 1;
  baseTerm = 0;
  snapshotIndex = 0;
  installing = 0;
  configuration = three;
  configurationIndex = 0;
  damaged = false;
  leaseMs = 0;
  pledges = true;
  log: FakeEntry[] = [];
  disk = { term: 0, vote: 0, commit: 0, terms: [] as number[] };

  constructor(id: number) {
    this.id = id;
  }

  get lastIndex(): number {
    return this.firstIndex - 1 + this.log.length;
  }

  set lastIndex(_: number) {
    throw new Error('set the log');
  }

  get durable(): DurableView {
    const { term, vote, commit, terms } = this.disk;
    const termAt = (index: number) => (index === 0 ? 0 : terms[index - 1]);
    return { term, vote, commit, firstIndex: 1, lastIndex: terms.length, termAt };
  }

  termAt(index: number): number | undefined {
    return index === this.firstIndex - 1 ? this.baseTerm : this.log[index - this.firstIndex]?.term;
  }

  hashAt(index: number): number {
    return this.log[index - this.firstIndex]?.hash ?? 0;
  }

  isChangeAt(index: number): boolean {
    return this.log[index - this.firstIndex]?.isChange ?? false;
  }

  /** Everything in memory is on disk. */
  sync(): void {
    const terms = this.log.map(({ term }) => term);
    this.disk = { term: this.term, vote: this.vote, commit: this.commit, terms };
  }
}

type Told<S> = S extends { readonly member: NodeView }
  ? Omit<S, 'atUs' | 'member'>
  : Omit<S, 'atUs'>;

/** Three fake members under all rules. */
export class FakeGroup {
  readonly nodes = [1, 2, 3].map((id) => new FakeNode(id));
  readonly checker: RaftChecker;
  #atUs = 0;

  constructor() {
    const bounds = { leaderWithinUs: 20, electionsMax: 2 };
    const invariants = [...raftInvariants, ...livenessInvariants(bounds)];
    const start = { configuration: three };
    this.checker = new RaftChecker({ members: this.nodes, start, invariants });
    for (const node of this.nodes) this.tell(node.id, { kind: 'start' });
  }

  node(id: number): FakeNode {
    return this.nodes[id - 1]!;
  }

  tell(id: number, step: Told<RaftStep>): void {
    this.#atUs += 1;
    this.checker.observe({ ...step, atUs: this.#atUs, member: this.node(id) } as RaftStep);
  }

  /** A member changes and says so. */
  change(id: number, fields: Partial<Writable<FakeNode>>): void {
    Object.assign(this.node(id), fields);
    this.tell(id, { kind: 'state' });
  }

  /** A member is elected in a term by itself and another. */
  elect(id: number, term: number, voter = (id % 3) + 1): void {
    for (const each of [id, voter]) {
      this.change(each, { term, vote: id, role: each === id ? 'candidate' : 'follower' });
      this.node(each).sync();
      this.tell(each, { kind: 'durable' });
    }
    this.tell(id, { kind: 'sent', message: { kind: 'vote-request', from: id, to: voter, term } });
    const message = { kind: 'vote-response', from: voter, to: id, term, granted: true } as const;
    this.tell(voter, { kind: 'sent', message });
    this.change(id, { role: 'leader' });
  }

  /** A member has one more entry, durably. */
  append(id: number, entry: FakeEntry): void {
    const node = this.node(id);
    node.log.push(entry);
    this.tell(id, { kind: 'state' });
    this.tell(id, { kind: 'log', from: node.lastIndex });
    node.sync();
    this.tell(id, { kind: 'durable' });
  }

  /** All members have an entry, and all know it is committed. */
  commit(entry: FakeEntry): void {
    for (const { id } of this.nodes) {
      this.change(id, { term: Math.max(this.node(id).term, entry.term) });
      this.append(id, entry);
    }
    for (const node of this.nodes) this.change(node.id, { commit: node.lastIndex });
  }

  /** A member applies the next entry. */
  apply(id: number, state = 7, configuration?: ConfigurationView): void {
    const node = this.node(id);
    const index = node.applied + 1;
    this.tell(id, { kind: 'applied', index, hash: node.hashAt(index), state, configuration });
    const fields = configuration === undefined ? {} : { configuration };
    this.change(id, { applied: index, configurationIndex: index, ...fields });
  }
}
