/** Clients of a group of bare cores: proposals and reads at a steady rate. */
import { type Random, randomInt } from '../../base/prng.js';
import { SimRandom } from '../sim-random.js';
import type { BareSimulation } from './bare-simulation.js';
import { eventKind } from './bare-trace.js';

/**
 * @since 0.1.0
 */
export interface BareLoadOptions {
  /** Per virtual second; default 100. */
  readonly proposalsPerSecond?: number;
  /** Per virtual second; default 10. */
  readonly readsPerSecond?: number;
  /** Of each command, at least 8; default 16. */
  readonly commandBytes?: number;
}

/**
 * Proposes and reads until told to stop. What is refused or lost is not tried again.
 *
 * @since 0.1.0
 */
export class BareLoad {
  readonly #simulation: BareSimulation;
  readonly #random: Random;
  readonly #proposeUs: number;
  readonly #readUs: number;
  readonly #commandBytes: number;
  #proposed = 0;
  #isStopped = false;

  /**
   * @param simulation - to propose in
   * @param options - see {@link BareLoadOptions}
   */
  constructor(simulation: BareSimulation, options: BareLoadOptions = {}) {
    const { proposalsPerSecond = 100, readsPerSecond = 10, commandBytes = 16 } = options;
    this.#simulation = simulation;
    const { seed } = simulation.options;
    this.#random = new SimRandom({ seed, stream: 'load', entity: [] });
    this.#proposeUs = proposalsPerSecond > 0 ? Math.ceil(1e6 / proposalsPerSecond) : 0;
    this.#readUs = readsPerSecond > 0 ? Math.ceil(1e6 / readsPerSecond) : 0;
    this.#commandBytes = Math.max(8, commandBytes);
    this.#schedule(eventKind.propose, this.#proposeUs);
    this.#schedule(eventKind.read, this.#readUs);
  }

  stop(): void {
    this.#isStopped = true;
  }

  #schedule(kind: number, meanUs: number): void {
    if (meanUs === 0 || this.#isStopped) return;
    const afterUs = 1 + randomInt(this.#random, 2 * meanUs);
    this.#simulation.queue.push(this.#simulation.nowUs + afterUs, kind, -1, 0, undefined);
  }

  /** Handles an event of its own; false: it is somebody else's. */
  handle(kind: number): boolean {
    if (kind === eventKind.propose) {
      this.propose();
      this.#schedule(kind, this.#proposeUs);
    } else if (kind === eventKind.read) {
      this.#simulation.readAt(randomInt(this.#random, this.#simulation.options.ids.length));
      this.#schedule(kind, this.#readUs);
    } else return false;
    return true;
  }

  /**
   * Proposes once, where the newest leader is; now and then anywhere.
   *
   * @returns whether somebody took it, or passed it on
   */
  propose(): boolean {
    const simulation = this.#simulation;
    const { leaderAt } = simulation;
    const anywhere = randomInt(this.#random, 16) === 0;
    const at = anywhere ? randomInt(this.#random, simulation.options.ids.length) : leaderAt;
    if (at < 0) return false;
    const data = this.#command();
    return simulation.inputAt(at, (node) => void node.propose([data]));
  }

  /** Bytes that no other command has. */
  #command(): Uint8Array {
    this.#proposed += 1;
    const data = new Uint8Array(this.#commandBytes);
    for (let at = 0, rest = this.#proposed; rest > 0; at += 1, rest = Math.floor(rest / 256)) {
      data[at] = rest % 256;
    }
    return data;
  }
}
