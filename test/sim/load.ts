// Clients that put unique values under a few keys through all members, and remember what they were
// told: an acknowledged write must stay, a rejected one must never appear.

import { Deferred } from '../../src/base/deferred.js';
import { isKontikiError } from '../../src/base/errors.js';
import type { Random } from '../../src/base/prng.js';
import { randomInt } from '../../src/base/prng.js';
import type { Store } from '../../src/store/store.js';
import { SimRandom } from '../../src/testing/sim-random.js';
import { type Name, names, type SimCluster } from './cluster.js';

export interface Write {
  readonly key: string;
  readonly value: string;
  outcome: 'pending' | 'ok' | 'rejected' | 'unknown';
  revision: number;
}

export class Load {
  readonly writes: Write[] = [];
  #stopped = false;

  stop(): void {
    this.#stopped = true;
  }

  /** One client: puts through whichever member `pick` gives, one after the other. */
  async run(options: {
    readonly client: number;
    readonly random: Random;
    readonly pick: () => Store | undefined;
    readonly pause: () => Promise<void>;
    /** Resolves when a call has taken too long: those of a member that crashed never settle. */
    readonly giveUp: () => Promise<undefined>;
  }): Promise<void> {
    for (let round = 0; !this.#stopped; round += 1) {
      const store = options.pick();
      if (store === undefined) {
        await options.pause();
        continue;
      }
      const key = `key-${randomInt(options.random, 10)}`;
      const value = `${options.client}.${round}`;
      const write: Write = { key, value, outcome: 'pending', revision: 0 };
      this.writes.push(write);
      try {
        const answer = await Promise.race([store.put(key, value), options.giveUp()]);
        write.outcome = answer === undefined ? 'unknown' : 'ok';
        write.revision = answer?.revision ?? 0;
      } catch (error) {
        write.outcome =
          isKontikiError(error) && error.outcome === 'rejected' ? 'rejected' : 'unknown';
      }
      await options.pause();
    }
  }
}

/** Starts clients that pause 5 to 25 virtual milliseconds between puts. */
export function startLoad(cluster: SimCluster, count: number): Load {
  const { sim } = cluster;
  const load = new Load();
  for (let client = 0; client < count; client += 1) {
    const random = new SimRandom({ seed: sim.seed, stream: 'client', entity: [client] });
    const after = (ms: number): Promise<undefined> => {
      const over = new Deferred<undefined>();
      sim.scheduler.at(sim.scheduler.nowUs + ms * 1_000, () => over.resolve(undefined));
      return over.promise;
    };
    const pause = () => after(5 + randomInt(random, 20));
    const giveUp = () => after(5_500);
    const pick = () => cluster.stores.get(names[randomInt(random, 3)] as Name);
    void load.run({ client, random, pick, pause, giveUp });
  }
  return load;
}
