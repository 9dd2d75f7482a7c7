/**
 * Makes things go wrong in a group of bare cores, each kind of fault at times drawn from a stream of
 * its own, so that leaving one out changes nothing about the others.
 */
import { type Random, randomInt } from '../../base/prng.js';
import { coreOf } from '../../raft/raw-node.js';
import { SimRandom } from '../sim-random.js';
import type { BareFaults } from './bare-faults.js';
import type { BareSimulation } from './bare-simulation.js';
import { eventKind } from './bare-trace.js';
import { drawChange } from './draw-change.js';

/** Faults that come at times of their own. */
const timed = ['partition', 'crash', 'pause', 'slowDisk', 'change', 'transfer', 'rumour'] as const;
type Timed = (typeof timed)[number];

/**
 * @since 0.1.0
 */
export class BareNemesis {
  readonly #simulation: BareSimulation;
  readonly #faults: BareFaults;
  readonly #random = new Map<string, Random>();
  #isStopped = false;
  #healsUs = 0;

  /**
   * @param simulation - to disturb; its faults say how
   */
  constructor(simulation: BareSimulation) {
    this.#simulation = simulation;
    this.#faults = simulation.faults;
    for (const name of timed) this.#schedule(name);
    simulation.options.ids.forEach((_, at) => {
      this.#scheduleUpkeep(at);
    });
  }

  /** No further faults; upkeep goes on. */
  stop(): void {
    this.#isStopped = true;
  }

  #randomOf(stream: string): Random {
    let random = this.#random.get(stream);
    if (random === undefined) {
      random = new SimRandom({ seed: this.#simulation.options.seed, stream, entity: [] });
      this.#random.set(stream, random);
    }
    return random;
  }

  /** Mean `ms`, at least half of it. */
  #drawUs(stream: string, ms: number): number {
    return 500 * ms + randomInt(this.#randomOf(stream), 1_000 * ms + 1);
  }

  #schedule(name: Timed): void {
    const { everyMs } = this.#faults[name];
    if (everyMs === 0 || this.#isStopped) return;
    const { queue, nowUs } = this.#simulation;
    queue.push(nowUs + this.#drawUs(`fault.${name}`, everyMs), eventKind.fault, -1, 0, name);
  }

  #scheduleUpkeep(at: number): void {
    const { everyMs } = this.#faults.compact;
    if (everyMs === 0) return;
    const { queue, nowUs } = this.#simulation;
    queue.push(nowUs + this.#drawUs('upkeep', everyMs), eventKind.upkeep, -1, 0, at);
  }

  /** Handles an event of its own; false: it is somebody else's. */
  handle(kind: number, payload: unknown): boolean {
    if (kind === eventKind.upkeep) {
      this.#keepUp(payload as number);
      this.#scheduleUpkeep(payload as number);
      return true;
    }
    if (kind !== eventKind.fault) return false;
    if (this.#isStopped) return true;
    if (payload === 'heal') {
      if (this.#simulation.nowUs >= this.#healsUs) this.#simulation.network.heal();
      return true;
    }
    this.#act(payload as Timed);
    this.#schedule(payload as Timed);
    return true;
  }

  /** A member of the moment: a leader more often, since that is where the trouble is. */
  #victim(random: Random): number {
    const { leaderAt, options } = this.#simulation;
    const any = randomInt(random, options.ids.length);
    return randomInt(random, 3) === 0 && leaderAt >= 0 ? leaderAt : any;
  }

  #act(name: Timed): void {
    const simulation = this.#simulation;
    const random = this.#randomOf(`fault.${name}`);
    const at = this.#victim(random);
    simulation.coverage.count(name);
    simulation.trace.line(simulation.nowUs, () => `fault: ${name}`);
    const fault = this.#faults[name];
    const forUs = 'forMs' in fault ? this.#drawUs(`fault.${name}`, fault.forMs) : 0;
    if (name === 'partition') this.#partition(random, forUs);
    else if (name === 'crash') simulation.crash(at, forUs);
    else if (name === 'pause') simulation.pause(at, forUs);
    else if (name === 'slowDisk') simulation.slowDown(at, forUs);
    else if (name === 'change') this.#change(random);
    else if (name === 'transfer') this.#transfer(random);
    else this.#rumour(random, at);
  }

  #partition(random: Random, forUs: number): void {
    const { network, leaderAt, queue, nowUs } = this.#simulation;
    network.cut(random, leaderAt);
    this.#healsUs = nowUs + forUs;
    queue.push(this.#healsUs, eventKind.fault, -1, 0, 'heal');
  }

  #change(random: Random): void {
    const { leaderAt, members, options } = this.#simulation;
    const leader = members[leaderAt]?.node;
    if (leader === undefined) return;
    const change = drawChange(random, leader.configuration, options.ids);
    this.#simulation.inputAt(leaderAt, (node) => void node.proposeConfChange(change));
  }

  #transfer(random: Random): void {
    const { leaderAt, members, options } = this.#simulation;
    const leader = members[leaderAt]?.node;
    if (leader === undefined) return;
    const { voters } = leader.configuration;
    const to =
      randomInt(random, 4) === 0
        ? (options.ids[randomInt(random, options.ids.length)] as number)
        : (voters[randomInt(random, voters.length)] as number);
    this.#simulation.inputAt(leaderAt, (node) => node.transferLeader(to));
  }

  #rumour(random: Random, at: number): void {
    const simulation = this.#simulation;
    const about = simulation.options.ids[randomInt(random, simulation.options.ids.length)];
    if (randomInt(random, 2) === 0) simulation.inputAt(at, (node) => node.forgetLeader());
    else simulation.inputAt(simulation.leaderAt, (node) => node.reportUnreachable(about as number));
  }

  /** A member makes its state durable, takes a snapshot, cuts its log and forgets what it can load. */
  #keepUp(at: number): void {
    const member = this.#simulation.members[at];
    if (member?.node === undefined) return;
    const random = this.#randomOf('upkeep');
    const { applied } = coreOf(member.node).log;
    member.machine.flush(randomInt(random, 4) === 0 ? randomInt(random, applied + 1) : Infinity);
    member.takeSnapshot();
    member.compact(randomInt(random, 3) === 0 ? randomInt(random, applied + 1) : applied);
    if (randomInt(random, 2) === 0) member.evict(Infinity);
  }
}
