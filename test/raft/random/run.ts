/** One random schedule of faults, proposals and changes, and the recovery after it. */
import { Prng, type Random, randomInt } from '../../../src/base/prng.js';
import {
  isVoter,
  type LogId,
  type MemberId,
  memberIds,
  type RawNode,
} from '../../../src/raft/index.js';
import { coreOf } from '../../../src/raft/raw-node.js';
import type { BareMember as Member } from '../../../src/testing/bare/bare-member.js';
import { drawChange } from '../../../src/testing/bare/draw-change.js';
import { Cluster } from '../cluster.js';
import { Clocks, tickMs } from './clocks.js';
import { Episodes } from './episodes.js';
import { drawSetting, type Setting } from './setting.js';
import { drawWeights } from './weights.js';

const networkMax = 120;

/** Who has something of the kind to do; others are not asked. */
const abilities: Readonly<Record<string, (member: Member) => boolean>> = {
  ready: ({ node, turn }) => turn === undefined && node?.hasReady() === true,
  append: ({ store, turn }) => turn !== undefined || store.pendingAppends > 0,
  apply: ({ applies, turn }) => turn !== undefined || applies.length > 0,
  fetch: ({ fetches }) => fetches.length > 0,
};

/** One in how many goes to a leader, if there is one. */
const ofLeaders: Readonly<Record<string, number>> = { crash: 3, compact: 2, snapshot: 2, flush: 3 };

export class Run {
  readonly #random: Random;
  readonly setting: Setting;
  readonly cluster: Cluster;
  readonly #clocks: Clocks | undefined;
  readonly #episodes: Episodes;
  /** Weights of the actions, drawn anew for each phase (swarm testing). */
  #weights: readonly (readonly [action: string, weight: number])[] = [];
  #totalWeight = 0;
  #phaseEnds = 0;
  /** Its state machine does nothing for some phases. */
  #stalled: MemberId | undefined;
  /** What was done; put into words only when asked for. */
  readonly trace: (readonly unknown[])[] = [];
  #proposed = 0;

  /** @param onNode - told of every node before it does anything */
  constructor(seed: number, onNode?: (node: RawNode) => void) {
    this.#random = new Prng(seed);
    this.setting = drawSetting(this.#random);
    const { options, ids } = this.setting;
    const leases = (options.get(ids[0]!)?.leaseMs ?? 0) > 0;
    this.#clocks = leases ? new Clocks(new Prng(seed + 2_000_000)) : undefined;
    this.cluster = new Cluster({
      ...this.setting,
      random: new Prng(seed + 1_000_000),
      options: (id) => options.get(id) ?? {},
      ...(this.#clocks && { clocks: this.#clocks }),
      ...(onNode && { onNode }),
    });
    this.#episodes = new Episodes(this.cluster, this.#random);
    for (const { store } of this.cluster.members) store.overshoot = this.#int(2);
  }

  #int(bound: number): number {
    return randomInt(this.#random, bound);
  }

  #pick<T>(items: readonly T[]): T | undefined {
    return items.length === 0 ? undefined : items[this.#int(items.length)];
  }

  /**
   * A while of one kind: which faults there are, how fast disks are, who is cut off. Runs that mix
   * everything evenly get nowhere; uncommitted tails, figure 8 and slow disks need phases.
   */
  #drawPhase(): void {
    const calm = this.#int(3) === 0;
    this.#weights = drawWeights(this.#random, this.setting, this.#clocks !== undefined, calm);
    this.#totalWeight = this.#weights.reduce((sum, [, weight]) => sum + weight, 0);
    const ids = calm ? [] : this.#drawCut();
    this.cluster.isolate(...ids);
    if (this.#int(3) === 0) {
      this.#stalled = this.#int(2) === 0 ? this.#pick(this.cluster.running)?.id : undefined;
    }
    this.trace.push(['phase without', ids, 'stalled', this.#stalled, this.#weights]);
    this.#phaseEnds = 20 + this.#int(150);
  }

  /** Nobody, a leader with some company, or anybody. */
  #drawCut(): readonly MemberId[] {
    const kind = this.#int(5);
    if (kind < 2) return [];
    if (kind === 4 && this.#stalled !== undefined) return [this.#stalled];
    const [leader] = kind === 2 ? this.cluster.leaders : [];
    const { members } = this.cluster;
    const cut = members.filter((each) => each === leader || this.#int(3) === 0);
    return cut.map(({ id }) => id);
  }

  step(): void {
    if (this.#phaseEnds === 0) this.#drawPhase();
    this.#phaseEnds -= 1;
    let at = this.#int(this.#totalWeight);
    const action = this.#weights.find(([, weight]) => {
      at -= weight;
      return at < 0;
    });
    this.#act(action![0]);
    const { network } = this.cluster;
    while (network.length > networkMax) this.cluster.drop(this.#int(network.length));
  }

  #act(action: string): void {
    const { cluster } = this;
    const { network, reports } = cluster;
    const at = action === 'deliver' ? 0 : this.#int(Math.max(1, network.length));
    if (action.startsWith('deliver') || action === 'duplicate' || action === 'drop') {
      const message = network[at];
      if (message === undefined) return;
      this.trace.push([action, message]);
      if (action === 'drop') cluster.drop(at);
      else cluster.deliver(at, action === 'duplicate');
    } else if (action === 'report') {
      if (reports.length > 0) cluster.report(this.#int(reports.length));
    } else if (action === 'round') {
      this.#episodes.round((member) => this.#work(member));
    } else if (action === 'pause') {
      this.trace.push([action]);
      this.#episodes.pause();
    } else if (action === 'overtake') {
      this.trace.push([action]);
      this.#episodes.overtake((id) => this.#change(id, false));
    } else if (action === 'wait') {
      this.#clocks?.wait(this.#int(3 * tickMs));
    } else if (action === 'start') {
      const member = this.#pick(cluster.members.filter(({ node }) => node === undefined));
      if (member === undefined) return;
      this.trace.push(['start', member.id]);
      cluster.start(member.id);
    } else {
      const member = this.#pickFor(action);
      if (member === undefined) return;
      this.trace.push([action, member.id]);
      this.#actOn(action, member);
    }
  }

  /** Somebody who has that to do; leaders more often, since they are where the trouble is. */
  #pickFor(action: string): Member | undefined {
    const { running, leaders } = this.cluster;
    const able = abilities[action];
    if (able !== undefined) return this.#pick(running.filter(able));
    const bound = ofLeaders[action];
    if (bound !== undefined && this.#int(bound) === 0 && leaders.length > 0) {
      return this.#pick(leaders);
    }
    return this.#pick(running);
  }

  #actOn(action: string, member: Member): void {
    const { cluster } = this;
    const { id, applied } = member;
    const actions: Readonly<Record<string, () => void>> = {
      tick: () => cluster.tick(id),
      // Long enough for an election in which nobody else has a say.
      silence: () => {
        for (let count = this.#int(20); count > 0; count -= 1) cluster.tick(id);
      },
      append: () => member.completeAppend(this.#int(2) === 0),
      work: () => this.#work(member),
      apply: () => {
        if (id !== this.#stalled) member.completeApply(this.#int(3) === 0 ? 1 : Infinity);
      },
      fetch: () => member.completeFetch(),
      ready: () => member.takeReady(),
      read: () => {
        const reader = this.#int(2) === 0 ? this.#leaderOr(id) : id;
        if (cluster.node(reader).leader !== 0 || this.#int(8) === 0) cluster.read(reader);
      },
      propose: () => this.#propose(id),
      change: () => this.#change(id),
      transfer: () => this.#transfer(this.#int(4) === 0 ? id : this.#leaderOr(id)),
      forget: () => cluster.forgetLeader(id),
      unreachable: () => cluster.reportUnreachable(this.#leaderOr(id), this.#anybody()),
      campaign: () => cluster.campaign(id),
      crash: () => this.#crash(member),
      flush: () => member.machine.flush(this.#int(applied + 1)),
      evict: () => member.evict(this.#int(2) === 0 ? Infinity : this.#int(applied + 1)),
      snapshot: () => member.takeSnapshot(),
      compact: () => this.#compact(member),
    };
    const act = actions[action];
    if (act === undefined) throw new Error(`no action ${action}`);
    act();
  }

  #work(member: Member): void {
    this.cluster.work(member.id, member.id !== this.#stalled);
  }

  /** Mostly asks a leader, so that logs grow; there may be several. */
  #leaderOr(id: MemberId): MemberId {
    return this.#pick(this.cluster.leaders)?.id ?? id;
  }

  #anybody(): MemberId {
    return this.#int(20) === 0 ? 99 : this.#pick(this.setting.ids)!;
  }

  #propose(id: MemberId): void {
    const count = 1 + this.#int(3);
    const commands = Array.from({ length: count }, (_, i) => `command ${this.#proposed + i}`);
    this.#proposed += count;
    const target = this.#int(4) === 0 ? id : this.#leaderOr(id);
    // Refusals cost time, and a few say it all.
    if (this.cluster.node(target).leader === 0 && this.#int(8) > 0) return;
    this.cluster.propose(target, ...commands);
  }

  #change(id: MemberId, anywhere = true): void {
    const target = !anywhere || this.#int(6) === 0 ? id : this.#leaderOr(id);
    const { configuration, role } = this.cluster.node(target);
    const change = drawChange(this.#random, configuration, this.setting.ids);
    this.trace.push(['  change', target, change]);
    const { disableConfChangeValidation: careless } = this.setting.options.get(target) ?? {};
    // Without validation it is the application that takes care of one change at a time.
    if (careless === true && (role !== 'leader' || this.#hasOpenChange(target))) return;
    this.cluster.change(target, change);
  }

  #hasOpenChange(id: MemberId): boolean {
    const { log } = coreOf(this.cluster.node(id));
    const open = log.slice(log.applied + 1, log.lastIndex + 1, Infinity);
    return !Array.isArray(open) || open.some(({ type }) => type !== 'normal');
  }

  #transfer(id: MemberId): void {
    const { configuration } = this.cluster.node(id);
    const to = this.#int(3) === 0 ? this.#anybody() : this.#pick(configuration.voters);
    this.trace.push(['  to', to]);
    this.cluster.transfer(id, to ?? id);
  }

  #crash(member: Member): void {
    const { openWrites } = member.store;
    const survivors = this.#int(openWrites + 1);
    const parts = this.#int(4);
    this.trace.push(['  with', survivors, 'of', openWrites, 'open writes and', parts, 'parts']);
    this.cluster.crash(member.id, survivors, this.#int(member.applied + 1), parts);
  }

  #compact(member: Member): void {
    const { applied } = member;
    if (this.#int(2) === 0) member.machine.flush(Infinity);
    member.compact(this.#int(3) === 0 ? this.#int(applied + 1) : applied);
  }

  /** Faults end: a leader must appear, and a fresh proposal be applied by the whole group. */
  recover(): void {
    const { cluster } = this;
    cluster.heal();
    this.trace.push(['recover']);
    for (const { id, node } of cluster.members) if (node === undefined) cluster.start(id);
    // What became of snapshots that were on their way may have been lost with a sender.
    for (const at of this.setting.ids) {
      for (const about of this.setting.ids) cluster.reports.push({ at, about, arrived: false });
    }
    let fresh: LogId | undefined;
    for (let round = 0; round < 400; round += 1) {
      for (const member of cluster.members) member.takeSnapshot();
      cluster.pass(1);
      const leader = this.#newestLeader();
      if (leader === undefined) continue;
      const { configuration } = leader.up;
      const done = (id: MemberId): boolean => cluster.member(id).applied >= (fresh?.index ?? 0);
      if (!isVoter(configuration, leader.id)) {
        // One that does not step down by itself leads until somebody makes it hand over.
        cluster.transfer(leader.id, configuration.voters[0] ?? leader.id);
      } else if (fresh === undefined || leader.store.written.term(fresh.index) !== fresh.term) {
        // A proposal may be lost with its leader; the caller then tries again.
        const taken = cluster.propose(leader.id, 'fresh');
        const { term, lastIndex: index } = leader.up.status();
        fresh = taken ? { term, index } : undefined;
      } else if (memberIds(configuration).every(done) && !configuration.autoLeave) {
        const { data } = leader.store.written.entry(fresh.index)!;
        if (new TextDecoder().decode(data) === 'fresh') return;
        throw new Error(`liveness: something else was committed at ${fresh.index}`);
      }
    }
    throw new Error(`liveness: no fresh entry applied by the group (last at ${fresh?.index})`);
  }

  #newestLeader(): Member | undefined {
    const leaders = [...this.cluster.leaders];
    return leaders.sort((a, b) => b.up.term - a.up.term)[0];
  }

  /** What happened last, in words. */
  describe(lines: number): string {
    const { options, ...setting } = this.setting;
    const head = JSON.stringify({ ...setting, options: [...options] });
    const last = this.trace.slice(-lines).map((line) => JSON.stringify(line));
    return [head, ...last].join('\n  ');
  }
}
