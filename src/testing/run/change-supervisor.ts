/** The operator of a run: carries changes of the membership out, and remembers what it was told. */
import { isKontikiError } from '../../base/errors.js';
import { randomInt } from '../../base/prng.js';
import { type Change, makeChange } from '../changes/change.js';
import type { Called, ChangeContext } from '../changes/change-type.js';
import type { SimCluster, SimMembers, SimService } from '../cluster/sim-cluster.js';
import { SimRandom } from '../sim-random.js';
import type { FaultSupervisor } from './fault-supervisor.js';

/** How often one that waits looks whether its member lives, in virtual milliseconds. */
const lookMs = 250;

/** @since 0.1.0 */
export class ChangeSupervisor {
  readonly #cluster: SimCluster<SimService>;
  readonly #faults: FaultSupervisor;
  readonly #calls: Record<string, number> = {};
  readonly #claimed = new Set<string>();
  #count = 0;
  #fresh = 0;
  #pending = 0;
  #isOver = false;

  /**
   * @param cluster - whose members come and go
   * @param faults - looks after them
   */
  constructor(cluster: SimCluster<SimService>, faults: FaultSupervisor) {
    this.#cluster = cluster;
    this.#faults = faults;
  }

  /** Calls that nobody has answered and whose member has not died. */
  get pending(): number {
    return this.#pending;
  }

  /** What became of its calls, and how many changes there were; nothing when none was asked for. */
  get figures(): Readonly<Record<string, number>> {
    return this.#count === 0
      ? {}
      : { ...this.#calls, 'members.changed': this.#faults.ledger.changes };
  }

  /** Begins a change. */
  make(change: Change): void {
    this.#count += 1;
    const { sim } = this.#cluster;
    sim.scheduler.trace('change', '', change.kind);
    void makeChange(change, this.#context([change.kind, this.#count]));
  }

  /** No further step is begun, and machines are where the list of members says. */
  heal(): void {
    this.#isOver = true;
    const { network } = this.#cluster.sim;
    const settle = () => {
      for (const { name, address } of this.#faults.ledger.members) {
        const host = address.replace(/:\d+$/, '');
        if (host !== network.hostOf(name)) network.move(name, host);
        // Whom it asked may be gone.
        this.#cluster.seeksAnyone(name);
      }
      this.#cluster.sim.scheduler.after(lookMs * 1_000, settle);
    };
    if (this.#count > 0) settle();
  }

  #context(entity: readonly (string | number)[]): ChangeContext {
    const { seed } = this.#cluster.sim;
    const random = new SimRandom({ seed, stream: 'change', entity });
    const faults = this.#faults;
    const isOver = () => this.#isOver;
    return {
      cluster: this.#cluster,
      random,
      ledger: faults.ledger,
      get isOver() {
        return isOver();
      },
      get lost() {
        return faults.lost;
      },
      resolve: (target) => faults.resolve(target, random),
      freshName: () => {
        this.#fresh += 1;
        return `m${this.#fresh}`;
      },
      restart: (name) => faults.restart(name),
      mayDamage: (name) => faults.mayDamage(name),
      mayLeave: (name) => faults.mayLeave(name),
      claim: (name) => {
        const isFree = !this.#claimed.has(name);
        this.#claimed.add(name);
        return isFree;
      },
      release: (name) => void this.#claimed.delete(name),
      renewed: (name) => faults.renewed(name),
      sleep: (ms) => this.#sleep(ms),
      call: (run) => this.#call(run, random),
    };
  }

  async #call<T>(run: (members: SimMembers) => Promise<T>, random: SimRandom): Promise<Called<T>> {
    const { running } = this.#cluster;
    const name = running[randomInt(random, Math.max(1, running.length))];
    const service = name === undefined ? undefined : this.#cluster.find(name);
    // Nobody was asked.
    if (service?.members === undefined) return { kind: 'rejected', code: undefined };
    const answered = run(service.members).then(
      (value): Called<T> => ({ kind: 'ok', value }),
      (error: unknown): Called<T> => refusalOf(error),
    );
    this.#pending += 1;
    const isAlive = () =>
      this.#cluster.running.some((each) => this.#cluster.find(each) === service);
    let called: Called<T> | undefined;
    while (called === undefined) {
      const settled = await Promise.race([answered, this.#sleep(lookMs)]);
      called = settled ?? (isAlive() ? undefined : { kind: 'lost' });
    }
    this.#pending -= 1;
    const figure = `members.${'code' in called && called.code !== undefined ? called.code : called.kind}`;
    this.#calls[figure] = (this.#calls[figure] ?? 0) + 1;
    return called;
  }

  #sleep(ms: number): Promise<undefined> {
    return new Promise((resolve) => {
      this.#cluster.sim.scheduler.after(Math.ceil(ms * 1_000), () => resolve(undefined));
    });
  }
}

function refusalOf(error: unknown): Called<never> {
  const { code, outcome } = isKontikiError(error) ? error : { code: undefined, outcome: undefined };
  return { kind: outcome === 'rejected' ? 'rejected' : 'unknown', code };
}
