/**
 * Tests a Raft that is not kontiki's with kontiki's invariants: five toys on a bad network, every step
 * told to a `RaftChecker`. `npx tsx examples/simulate-foreign-raft/main.ts` looks for the planted bug.
 */
import { fileURLToPath } from 'node:url';
import { InvariantViolation, RaftChecker, SimRandom } from '../../src/testing/index.js';
import { type ToyMessage, ToyRaft } from './toy-raft.js';
import { messageView, ToyView } from './toy-view.js';

const ids = [1, 2, 3, 4, 5];

/** A run of the toy: whatever happens next is drawn from the seed. */
class ToyRun {
  readonly #random: SimRandom;
  readonly #toys: readonly ToyRaft[];
  readonly #views: readonly ToyView[];
  readonly #checker: RaftChecker;
  readonly #network: ToyMessage[] = [];
  /** Members that nobody hears for a while. */
  #cut: readonly number[] = [];
  #atUs = 0;

  constructor(seed: number, isBroken: boolean) {
    this.#random = new SimRandom({ seed, stream: 'toy', entity: [] });
    this.#toys = ids.map((id) => {
      const peers = ids.filter((each) => each !== id);
      return new ToyRaft(id, peers, (message) => this.#send(message), isBroken);
    });
    this.#views = this.#toys.map((toy) => new ToyView(toy));
    this.#checker = new RaftChecker({ members: this.#views });
    for (const member of this.#views) this.#checker.observe({ kind: 'start', atUs: 0, member });
  }

  #int(bound: number): number {
    return this.#random.u32() % bound;
  }

  #send(message: ToyMessage): void {
    const member = this.#views[message.from - 1]!;
    const atUs = this.#atUs;
    this.#checker.observe({ kind: 'sent', atUs, member, message: messageView(message) });
    const isCut = this.#cut.includes(message.from) !== this.#cut.includes(message.to);
    if (!isCut && this.#int(20) > 0) this.#network.push(message);
  }

  /** An input of one member, and what the checker must be told of it. */
  #input(id: number, act: (toy: ToyRaft) => void): void {
    const toy = this.#toys[id - 1]!;
    const member = this.#views[id - 1]!;
    toy.wroteFrom = Infinity;
    act(toy);
    const told = { atUs: this.#atUs, member };
    this.#checker.observe({ kind: 'state', ...told });
    if (toy.wroteFrom < Infinity) {
      this.#checker.observe({ kind: 'log', ...told, from: toy.wroteFrom });
      this.#checker.observe({ kind: 'durable', ...told });
    }
    while (member.applied < toy.commit) {
      const index = member.applied + 1;
      const hash = member.hashAt(index);
      this.#checker.observe({ kind: 'applied', ...told, index, hash, state: index });
      member.applied = index;
    }
  }

  step(): void {
    this.#atUs += 1;
    const id = 1 + this.#int(ids.length);
    const draw = this.#int(100);
    const message = this.#network[this.#int(3)];
    if (draw < 60 && message !== undefined) {
      this.#network.splice(this.#network.indexOf(message), 1);
      this.#input(message.to, (toy) => toy.step(message));
    } else if (draw < 80) this.#input(id, (toy) => toy.replicate());
    else if (draw < 95) this.#input(id, (toy) => toy.propose(this.#atUs));
    else if (draw < 98) this.#input(id, (toy) => toy.campaign());
    else this.#cut = ids.filter(() => this.#int(3) === 0);
  }

  get committed(): number {
    return this.#checker.facts.committed.last;
  }
}

/**
 * Runs the toy under one seed.
 *
 * @returns entries committed, or the rule that it broke
 */
export function runToy(seed: number, isBroken: boolean): number | InvariantViolation {
  const run = new ToyRun(seed, isBroken);
  try {
    for (let step = 0; step < 5_000; step += 1) run.step();
    return run.committed;
  } catch (error) {
    if (error instanceof InvariantViolation) return error;
    throw error;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (let seed = 1; ; seed += 1) {
    const found = runToy(seed, true);
    if (typeof found === 'number') continue;
    console.log(`seed ${seed}, step ${found.atUs}: ${found.message}`);
    break;
  }
}
