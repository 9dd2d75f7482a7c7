/** The same inputs give the same outputs, and no order or repetition breaks a rule: rows. */
import { describe, expect, test } from 'vitest';
import { isKontikiError } from '../../../src/base/errors.js';
import { Prng, type Random, randomInt } from '../../../src/base/prng.js';
import type { Entry, MemberId, PeerMessage } from '../../../src/raft/index.js';
import { snapshotAt } from './disk.js';
import { Net } from './net.js';
import { type Loose, Solo, type SoloOptions } from './solo.js';

const depth = Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));
const ids: readonly MemberId[] = [1, 2, 3];

/** Counts what is drawn. */
class CountedRandom implements Random {
  readonly #random: Prng;
  draws = 0;

  constructor(seed: number) {
    this.#random = new Prng(seed);
  }

  u32(): number {
    this.draws += 1;
    return this.#random.u32();
  }
}

const commonOptions = (seed: number): SoloOptions => ({
  voters: ids,
  preVote: true,
  checkQuorum: seed % 2 === 0,
  electionTicks: 5,
  stepDownOnRemoval: true,
  inflightMessagesMax: 3,
  asyncStorageWrites: seed % 3 > 0,
});

/** What the safety of a group means (semantics §20), over everything that was seen. */
class Rules {
  readonly #leaders = new Map<number, MemberId>();
  readonly #entries = new Map<string, string>();
  readonly #applied = new Map<number, string>();
  readonly #votes = new Map<string, MemberId>();
  readonly #commits = new Map<MemberId, number>();
  readonly #terms = new Map<MemberId, number>();
  readonly #ends = new Map<MemberId, Entry>();

  check(solo: Solo): void {
    const { term, role, commit } = solo.status;
    const { id } = solo;
    if (role === 'leader') same(this.#leaders, term, id, `leader of term ${term}`);
    if (solo.core.vote !== 0) same(this.#votes, `${id}@${term}`, solo.core.vote, 'vote');
    expect(commit).toBeGreaterThanOrEqual(this.#commits.get(id) ?? 0);
    expect(term).toBeGreaterThanOrEqual(this.#terms.get(id) ?? 0);
    this.#commits.set(id, commit);
    this.#terms.set(id, term);
    this.#checkLog(solo);
    for (const entry of solo.applied) {
      const content = `${entry.term} ${entry.type} ${entry.data}`;
      same(this.#applied, entry.index, content, 'state machines');
    }
    solo.applied = [];
  }

  /** Only when it has changed: most events change no log. */
  #checkLog({ id, disk }: Solo): void {
    const { base, entries } = disk.written;
    if (this.#ends.get(id) === entries.at(-1)) return;
    if (entries.length > 0) this.#ends.set(id, entries.at(-1)!);
    let before = base.term;
    for (const entry of entries) {
      const content = `after ${before}: ${entry.type} ${entry.data}`;
      same(this.#entries, `${entry.index}@${entry.term}`, content, 'log matching');
      before = entry.term;
    }
  }

  get lastApplied(): number {
    return Math.max(0, ...this.#applied.keys());
  }

  /** Everything from the first entry on was applied by somebody. */
  expectWhole(): void {
    for (let index = 1; index <= this.lastApplied; index += 1) {
      expect(this.#applied.has(index), `entry ${index}`).toBe(true);
    }
  }
}

function same<K, V>(known: Map<K, V>, key: K, value: V, what: string): void {
  const before = known.get(key) ?? value;
  if (before !== value) throw new Error(`${what}: ${key} is ${before} and ${value}`);
  known.set(key, value);
}

/** What a random event does to a member; refusals are events too. */
function happens(solo: Solo, net: Net, kind: number, int: (bound: number) => number): void {
  const { node } = solo;
  const nth = net.sent.length;
  try {
    if (kind === 0) solo.tick(1 + int(4));
    else if (kind === 1) solo.propose(`${nth} of ${solo.id}`);
    else if (kind === 2) node.readIndex(nth * 4 + solo.id);
    else if (kind === 3 && int(4) === 0) node.transferLeader(1 + int(3));
    else if (kind === 4 && int(4) === 0) solo.campaign();
    else if (kind === 5 && int(3) === 0) node.reportUnreachable(1 + int(3));
    else if (kind === 6) node.reportSnapshot(1 + int(3), int(2) === 0);
    else if (kind === 7 && int(3) === 0) node.forgetLeader();
    else if (kind === 8 && int(3) === 0 && node.role === 'leader') {
      const changes = [
        { type: int(2) ? 'add-voter' : 'add-learner', memberId: 1 + int(3) },
      ] as const;
      const transition = (['auto', 'joint-implicit', 'joint-explicit'] as const)[int(3)]!;
      node.proposeConfChange({ transition, changes });
    } else if (kind === 8 && node.role === 'leader') {
      node.proposeConfChange({ transition: 'auto', changes: [] });
    } else if (kind === 9 && solo.disk.pending.length === 0) {
      const { applied, firstIndex } = solo.status;
      if (applied >= firstIndex) solo.disk.compact(firstIndex + int(applied - firstIndex + 1));
    }
  } catch (error) {
    const codes = ['NOT_LEADER', 'NO_LEADER', 'PROPOSAL_DROPPED', 'CONFIGURATION_INVALID'] as const;
    if (!codes.some((code) => isKontikiError(error, code))) throw error;
  }
  node.check();
}

/** The newest state of a member, as its leader would send it. */
function latestOf(solo: Solo) {
  const { base } = solo.disk.durable;
  if (base.index === 0) return undefined;
  const { hardState: _, ...configuration } = solo.disk.initialState();
  return snapshotAt(base.index, base.term, configuration);
}

/** Messages come in any order, twice, late or never. */
function disorderly(seed: number, seen: Set<PeerMessage['kind']>): number {
  const random = new Prng(seed);
  const int = (bound: number) => randomInt(random, bound);
  const rules = new Rules();
  const net: Net = new Net(ids, (id) => ({
    ...commonOptions(seed),
    random: new Prng(seed * 10 + id),
    latestSnapshot: () => latestOf(net.at(id)),
  }));
  for (let step = 0; step < 500; step += 1) {
    const solo = net.at(1 + int(3));
    const action = int(24);
    if (action < 10) happens(solo, net, action, int);
    else if (net.queue.length > 0) {
      // Twice as often in order as not: chaos alone gets nowhere.
      const at = int(3) > 0 ? 0 : int(net.queue.length);
      seen.add(net.queue[at]!.kind);
      net.deliver(at, int(5) === 0);
      if (int(12) === 0 && net.queue.length > 0) net.queue.splice(int(net.queue.length), 1);
    }
    net.collect();
    while (net.queue.length > 60) net.queue.splice(int(net.queue.length), 1);
    for (const member of net.members.values()) rules.check(member);
  }
  rules.expectWhole();
  return rules.lastApplied;
}

describe('disorder', () => {
  test('A-25: every kind of message doubled and out of order -> all rules hold', () => {
    const seen = new Set<PeerMessage['kind']>();
    let applied = 0;
    for (let seed = 1; seed <= 40 * depth; seed += 1) {
      try {
        applied += disorderly(seed, seen);
      } catch (error) {
        throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : error}`, {
          cause: error,
        });
      }
    }
    expect([...seen].sort()).toEqual([
      'append-request',
      'append-response',
      'heartbeat-request',
      'heartbeat-response',
      'pre-vote-request',
      'pre-vote-response',
      'propose-request',
      'read-request',
      'read-response',
      'snapshot-request',
      'timeout-now',
      'transfer-request',
      'vote-request',
      'vote-response',
    ]);
    expect(applied).toBeGreaterThan(400);
  });
});

/** One input of a member, to be given again. */
type Input = (solo: Solo) => void;

/** Gives inputs to a fresh member and notes all it wants done. */
function play(options: SoloOptions, seed: number, inputs: readonly Input[]): string[] {
  const solo = new Solo({ ...options, random: new Prng(seed) });
  return inputs.map((input) => {
    try {
      input(solo);
    } catch (error) {
      return `${error}`;
    }
    return JSON.stringify([solo.flush(), solo.status, solo.reads]);
  });
}

describe('determinism', () => {
  test('A-24: a recorded run played again -> the same outputs', () => {
    for (let seed = 1; seed <= 10 * depth; seed += 1) {
      const random = new Prng(seed);
      const int = (bound: number) => randomInt(random, bound);
      const net = new Net(ids, (id) => ({ ...commonOptions(seed), random: new Prng(seed + id) }));
      const inputs: Input[] = [];
      for (let step = 0; step < 300; step += 1) {
        const id = 1 + int(3);
        const count = 1 + int(3);
        const kind = int(9);
        if (kind < 3) {
          net.at(id).tick(count);
          if (id === 1) inputs.push((solo) => solo.tick(count));
        } else if (kind < 5 && net.at(id).node.role === 'leader') {
          net.at(id).propose(`${step}`);
          if (id === 1) inputs.push((solo) => solo.propose(`${step}`));
        } else if (net.queue.length > 0) {
          const at = int(net.queue.length);
          const message = net.queue[at] as Loose<PeerMessage>;
          if (net.queue[at]!.to === 1) inputs.push((solo) => solo.step(message));
          net.deliver(at);
        }
        net.collect();
      }
      expect(inputs.length).toBeGreaterThan(40);
      const options = { ...commonOptions(seed), id: 1 };
      const first = play(options, seed + 1, inputs);
      expect(play(options, seed + 1, inputs)).toEqual(first);
      expect(JSON.parse(first.at(-1)!)[1]).toEqual(JSON.parse(JSON.stringify(net.at(1).status)));
    }
  });

  test('A-24: each reset -> one number drawn, and one for each round of pre-votes (O14)', () => {
    const random = new CountedRandom(7);
    const solo = new Solo({ random, preVote: true });
    const drawn = (act: () => void) => {
      const before = random.draws;
      act();
      return random.draws - before;
    };
    // The start is one.
    expect(random.draws).toBe(1);
    const beat = { kind: 'heartbeat-request', from: 2, commit: 0, reads: 0, sentAt: 0 } as const;
    expect(drawn(() => solo.step({ ...beat, term: 3 }))).toBe(1);
    expect(drawn(() => solo.step({ ...beat, term: 3 }))).toBe(0);
    expect(drawn(() => solo.tick(5))).toBe(0);
    expect(drawn(() => solo.campaign())).toBe(1);
    solo.flush();
    expect(solo.node.role).toBe('pre-candidate');
    const vote = { kind: 'pre-vote-response', from: 2, term: 4, granted: true } as const;
    expect(drawn(() => solo.step(vote))).toBe(1);
    solo.flush();
    expect(solo.node.role).toBe('candidate');
    expect(drawn(() => solo.step({ kind: 'vote-response', from: 2, granted: true }))).toBe(1);
    expect(solo.node.role).toBe('leader');
    expect(drawn(() => solo.tick(9))).toBe(0);
    expect(drawn(() => solo.propose('x'))).toBe(0);
    expect(drawn(() => solo.step({ kind: 'append-response', from: 2, term: 9, index: 0 }))).toBe(1);
  });
});
