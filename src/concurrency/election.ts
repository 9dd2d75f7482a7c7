/** An election by name: candidates, the one who leads, and those who want to know. */
import { systemTimers, type Timers } from '../base/clock.js';
import type { KeyValue } from '../store/key-value.js';
import type { Bytes, CallOptions, KvClient } from '../store/kv-client.js';
import { LeaderWatch } from './leader-watch.js';
import { Leadership } from './leadership.js';
import { checkNames, waitNames } from './option-names.js';
import type { WaitOptions } from './patience.js';
import { Place, prefixOf } from './place.js';
import type { Session } from './session.js';

/**
 * Candidates lead one after the other, in the order in which they came, each until it resigns or its
 * session is lost. What the leader says is the value of its key.
 *
 * @since 0.1.0
 * @example
 * const election = new Election(store, 'scheduler');
 * const leadership = await election.campaign(session, 'host-7:8080');
 * while (!leadership.lost.aborted) await schedule({ token: leadership.token });
 */
export class Election {
  readonly name: string;
  readonly #kv: KvClient;
  readonly #timers: Timers;

  /**
   * @param kv - a store
   * @param name - keys begin with it and a `/`
   * @param options.timers - measure pauses; default: the platform's
   * @throws {KontikiError} ARGUMENT_INVALID
   */
  constructor(kv: KvClient, name: string, options: { readonly timers?: Timers | undefined } = {}) {
    prefixOf(name);
    checkNames(options, ['timers']);
    this.name = name;
    this.#kv = kv;
    this.#timers = options.timers ?? systemTimers;
  }

  /**
   * Waits until it leads, through changes of Raft leaders.
   *
   * @param session - a leadership ends with it at the latest
   * @param value - what a leader says, such as its address; an array may be reused afterwards
   * @throws {KontikiError} as `Mutex.lock`; in each case it neither leads nor holds up others
   */
  async campaign(session: Session, value: Bytes, options: WaitOptions = {}): Promise<Leadership> {
    const place = await Place.first({ name: this.name, session, value }, options);
    return new Leadership(place, () => place.leave());
  }

  /**
   * The key of who leads; `undefined` when nobody does. Its `createRevision` is the leader's token.
   *
   * @param options - `timeoutMs`, `signal`
   * @throws {KontikiError} ARGUMENT_INVALID, and as every read
   */
  async leader(options: CallOptions = {}): Promise<KeyValue | undefined> {
    checkNames(options, waitNames);
    const { signal, timeoutMs } = options;
    const { kvs } = await this.#kv.range({
      ...{ prefix: prefixOf(this.name), sortBy: 'createRevision', limit: 1 },
      ...{ signal, timeoutMs },
    });
    return kvs[0];
  }

  /**
   * Who leads now, if anybody does, and from then on every new leader and whatever one proclaims: none
   * left out, unless the history in between was compacted, and never back to one before.
   *
   * @param options.signal - ends it: it then throws `signal.reason`
   * @returns to be iterated once
   * @throws {KontikiError} ARGUMENT_INVALID
   */
  observe(options: { readonly signal?: AbortSignal | undefined } = {}): LeaderWatch {
    checkNames(options, ['signal']);
    const { signal } = options;
    return new LeaderWatch({
      ...{ kv: this.#kv, timers: this.#timers },
      ...{ prefix: prefixOf(this.name), signal },
    });
  }
}
