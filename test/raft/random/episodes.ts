/**
 * Short stories that single random steps would hardly ever tell, after which the run goes on at
 * random: what they lead to is left open.
 */
import { type Random, randomInt } from '../../../src/base/prng.js';
import { isVoter, type MemberId } from '../../../src/raft/index.js';
import type { BareMember as Member } from '../../../src/testing/bare/bare-member.js';
import type { Cluster } from '../cluster.js';

export class Episodes {
  readonly #cluster: Cluster;
  readonly #random: Random;

  constructor(cluster: Cluster, random: Random) {
    this.#cluster = cluster;
    this.#random = random;
  }

  #int(bound: number): number {
    return randomInt(this.#random, bound);
  }

  #pick<T>(items: readonly T[]): T | undefined {
    return items.length === 0 ? undefined : items[this.#int(items.length)];
  }

  /** Everybody but some does what there is to do, and what is in the network arrives. */
  round(work: (member: Member) => void = ({ id }) => this.#cluster.work(id)): void {
    const { network } = this.#cluster;
    for (const member of this.#cluster.running) work(member);
    for (let count = network.length; count > 0; count -= 1) this.#cluster.deliver();
    for (const member of this.#cluster.running) work(member);
  }

  /**
   * A leader's process stands still, in the middle of handing over at times. The others go on without
   * it; then it wakes up and is asked for a read before it hears of anything.
   */
  pause(): void {
    const cluster = this.#cluster;
    const leader = this.#pick(cluster.leaders);
    if (leader === undefined) return;
    const { id } = leader;
    cluster.tick(id);
    this.round();
    const heir = this.#pick(leader.up.configuration.voters);
    if (heir !== undefined && this.#int(2) === 0) {
      cluster.transfer(id, heir);
      cluster.work(id);
      for (let count = cluster.network.length; count > 0; count -= 1) cluster.deliver();
    }
    cluster.isolate(id);
    const others = (member: Member): void => {
      if (member.id !== id) cluster.work(member.id);
    };
    for (let tick = this.#int(30); tick >= 0; tick -= 1) {
      for (const member of cluster.running) if (member.id !== id) cluster.tick(member.id);
      this.round(others);
      const next = cluster.leaders.find((each) => each.id !== id);
      if (next === undefined) continue;
      cluster.propose(next.id, 'meanwhile');
      this.round(others);
      this.round(others);
      break;
    }
    if (leader.node !== undefined) cluster.read(id);
  }

  /**
   * A follower's state machine lags behind with a change in front of it, the group goes on and drops
   * its log, and the snapshot that brings the follower up to date finds it still busy.
   */
  overtake(change: (leader: MemberId) => void): void {
    const cluster = this.#cluster;
    const leader = this.#pick(cluster.leaders);
    const { configuration } = leader?.up ?? {};
    if (leader === undefined || configuration === undefined) return;
    const follower = this.#pick(
      cluster.running.filter(
        ({ id, sync }) => id !== leader.id && isVoter(configuration, id) && !sync,
      ),
    );
    if (follower === undefined) return;
    const { id } = follower;
    const rounds = (count: number, work: (member: Member) => void): void => {
      for (let at = 0; at < count && leader.node !== undefined; at += 1) {
        cluster.tick(leader.id);
        this.round(work);
      }
    };
    const busy = (member: Member): void => cluster.work(member.id, member.id !== id);
    cluster.heal();
    rounds(2, ({ id: each }) => cluster.work(each));
    change(leader.id);
    rounds(3, busy);
    cluster.isolate(id);
    cluster.propose(leader.id, 'later');
    rounds(2, busy);
    for (const member of cluster.running) {
      if (member.id === id) continue;
      member.takeSnapshot();
      member.machine.flush(Infinity);
      member.compact(member.applied);
    }
    cluster.heal();
    // The snapshot arrives, and is being written while the state machine goes on.
    rounds(4, (member) => {
      if (member.id === id) member.takeReady();
      else cluster.work(member.id);
    });
    while (follower.node !== undefined && follower.applies.length > 0 && this.#int(8) > 0) {
      follower.completeApply(1);
    }
  }
}
