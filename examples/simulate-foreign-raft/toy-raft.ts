/**
 * A Raft of somebody else's: election and replication as in figure 2 of the paper, everything in
 * memory, nothing of kontiki in it. With `forgetsTerms` it has a bug that is easy to write: a leader
 * commits whatever a majority has, even an entry of an earlier term (figure 8).
 */

/** One entry; index 1 is `log[1]`, `log[0]` stands for the position before the first. */
export interface ToyEntry {
  readonly term: number;
  readonly command: number;
}

export type ToyMessage = { readonly from: number; readonly to: number; readonly term: number } & (
  | { readonly kind: 'vote'; readonly lastIndex: number; readonly lastTerm: number }
  | { readonly kind: 'voted'; readonly granted: boolean }
  | {
      readonly kind: 'append';
      readonly after: number;
      readonly afterTerm: number;
      readonly entries: readonly ToyEntry[];
      readonly commit: number;
    }
  | { readonly kind: 'appended'; readonly upTo: number; readonly ok: boolean }
);

/** What an envelope adds to a message. */
type Content = ToyMessage extends infer M
  ? M extends ToyMessage
    ? Omit<M, 'from' | 'to' | 'term'>
    : never
  : never;

export class ToyRaft {
  term = 0;
  vote = 0;
  role: 'follower' | 'candidate' | 'leader' = 'follower';
  commit = 0;
  log: ToyEntry[] = [{ term: 0, command: 0 }];
  /** First index that the last input wrote; `Infinity` for none. */
  wroteFrom = Infinity;
  readonly #votes = new Set<number>();
  readonly #match = new Map<number, number>();

  constructor(
    readonly id: number,
    readonly peers: readonly number[],
    readonly send: (message: ToyMessage) => void,
    readonly forgetsTerms = false,
  ) {}

  get last(): number {
    return this.log.length - 1;
  }

  /** An election timeout. */
  campaign(): void {
    Object.assign(this, { role: 'candidate', term: this.term + 1, vote: this.id });
    this.#votes.clear();
    this.#votes.add(this.id);
    const lastTerm = this.log[this.last]!.term;
    for (const to of this.peers) this.#say(to, { kind: 'vote', lastIndex: this.last, lastTerm });
  }

  propose(command: number): void {
    if (this.role === 'leader') this.#write(this.log.length, [{ term: this.term, command }]);
  }

  /** A heartbeat timeout: everybody gets what it lacks. */
  replicate(): void {
    if (this.role !== 'leader') return;
    for (const to of this.peers) {
      const after = Math.min(this.#match.get(to) ?? this.last, this.last);
      const entries = this.log.slice(after + 1);
      const afterTerm = this.log[after]!.term;
      this.#say(to, { kind: 'append', after, afterTerm, entries, commit: this.commit });
    }
  }

  step(message: ToyMessage): void {
    if (message.term > this.term) {
      Object.assign(this, { term: message.term, role: 'follower', vote: 0 });
    }
    const isOld = message.term < this.term;
    if (message.kind === 'vote') {
      const { term } = this.log[this.last]!;
      const { lastTerm, lastIndex, from } = message;
      const isFresh = lastTerm > term || (lastTerm === term && lastIndex >= this.last);
      const granted = !isOld && isFresh && (this.vote === 0 || this.vote === from);
      if (granted) this.vote = from;
      this.#say(from, { kind: 'voted', granted });
    } else if (!isOld && message.kind === 'voted') this.#onVote(message.from, message.granted);
    else if (!isOld && message.kind === 'append') this.#onAppend(message);
    else if (!isOld && message.kind === 'appended') this.#onAppended(message);
  }

  #onVote(from: number, granted: boolean): void {
    if (this.role !== 'candidate' || !granted) return;
    this.#votes.add(from);
    if (2 * this.#votes.size <= this.peers.length + 1) return;
    this.role = 'leader';
    this.#match.clear();
  }

  #onAppend(message: ToyMessage & { readonly kind: 'append' }): void {
    const { from, after, afterTerm, entries, commit } = message;
    this.role = 'follower';
    const ok = this.log[after]?.term === afterTerm;
    const upTo = ok ? after + entries.length : Math.min(after - 1, this.last);
    if (ok) {
      const differs = entries.findIndex((e, at) => this.log[after + 1 + at]?.term !== e.term);
      if (differs >= 0) this.#write(after + 1 + differs, entries.slice(differs));
      this.commit = Math.max(this.commit, Math.min(commit, upTo));
    }
    this.#say(from, { kind: 'appended', upTo, ok });
  }

  #onAppended({ from, upTo, ok }: ToyMessage & { readonly kind: 'appended' }): void {
    if (this.role !== 'leader') return;
    this.#match.set(from, upTo);
    if (!ok) return;
    const isOwn = this.log[upTo]?.term === this.term;
    const holders = this.peers.filter((id) => (this.#match.get(id) ?? 0) >= upTo).length + 1;
    const isEnough = 2 * holders > this.peers.length + 1;
    if (isEnough && (isOwn || this.forgetsTerms)) this.commit = Math.max(this.commit, upTo);
  }

  #write(from: number, entries: readonly ToyEntry[]): void {
    this.log = [...this.log.slice(0, from), ...entries];
    this.wroteFrom = from;
  }

  #say(to: number, content: Content): void {
    this.send({ ...content, from: this.id, to, term: this.term } as ToyMessage);
  }
}
