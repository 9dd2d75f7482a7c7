/**
 * A reader of watches, often a slow one: follows a range on one member until that dies or it has seen
 * enough, then goes on elsewhere from where it was, or begins anew in the past or the future.
 */
import { isKontikiError } from '../../base/errors.js';
import { type Random, randomInt } from '../../base/prng.js';
import type { KeySelection } from '../../mvcc/types.js';
import type { Store } from '../../store/store.js';
import type { WatchBatch } from '../../store/watch-batch.js';
import { errorText } from '../error-text.js';
import type { StoreStep } from '../invariants/store-step.js';
import type { WorkloadContext } from '../run/workload.js';
import { selectText } from './draw-store-call.js';
import { versionOf } from './store-call.js';
import { changeOf, type Untimed } from './store-watch.js';
import { addBatch, type WatchRecord } from './watch-record.js';

/** A key, or all keys from one to before another. @since 0.1.0 */
export type WatchedKeys = string | { readonly from: string; readonly to: string };

const filters: readonly WatchRecord['filter'][] = [
  {},
  {},
  {},
  {},
  { noPut: true },
  { noDelete: true },
];

type WatchIterator = ReturnType<ReturnType<Store['watch']>[typeof Symbol.asyncIterator]>;

/** Where a reader follows a watch. */
interface Place {
  /** Whether the process that it asked is still there. */
  lives(): boolean;
  /** Whether that serves, too: then a watch has no reason to end. */
  serves(): boolean;
  /** Whether it asked for revisions of the future: it is told of nothing before they come. */
  isEarly(): boolean;
}

/** How often a reader that waits looks whether its member lives, in virtual milliseconds. */
const lookMs = 400;

/** Some fall asleep now and then, so long that their queues may run over. */
const napMs = 6_000;

/** @since 0.1.0 */
export class WatchClient {
  readonly records: WatchRecord[] = [];
  readonly #context: WorkloadContext<Store>;
  readonly #client: number;
  readonly #observe: (step: Untimed<StoreStep>) => void;
  readonly #random: Random;
  readonly #keys: KeySelection;
  /** What is watched, as the store takes it. */
  readonly #target: WatchedKeys;
  readonly #filter: WatchRecord['filter'];
  /** Pause after each batch, in virtual milliseconds. */
  readonly #slowMs: number;
  readonly #naps: boolean;
  #next = 1;
  /** Counts up when it goes on elsewhere than where it was. */
  #stream = 0;
  #wasCompacted = false;
  #isWaiting = false;
  #stopped = false;

  /**
   * @param context - of the run
   * @param client - number of this reader
   * @param target - what it watches
   * @param observe - told of what it is handed
   */
  constructor(
    context: WorkloadContext<Store>,
    client: number,
    target: WatchedKeys,
    observe: (step: Untimed<StoreStep>) => void,
  ) {
    this.#context = context;
    this.#client = client;
    this.#observe = observe;
    this.#random = context.random('watcher', client);
    this.#target = target;
    const isKey = typeof target === 'string';
    this.#keys = isKey ? selectText(target) : { gte: target.from, lt: target.to };
    this.#filter = filters[randomInt(this.#random, filters.length)] ?? {};
    this.#slowMs = randomInt(this.#random, 3) === 0 ? 1_500 : randomInt(this.#random, 50);
    this.#naps = randomInt(this.#random, 4) === 0;
  }

  /** For a batch or a bookmark, one of which is due soon; also when it is stopped. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** Reads until it is stopped. */
  async run(): Promise<void> {
    const { cluster, sleep } = this.#context;
    while (!this.#stopped) {
      const { running } = cluster;
      const name = running[randomInt(this.#random, Math.max(1, running.length))];
      if (name === undefined) await sleep(lookMs);
      else await this.#follow(name);
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  async #follow(name: string): Promise<void> {
    const { cluster, sleep } = this.#context;
    const store = cluster.service(name);
    const life = cluster.machine(name).boots;
    const fromRevision = this.#from(store);
    const place: Place = {
      lives: () => cluster.machine(name).boots === life && cluster.find(name) === store,
      serves: () => place.lives() && store.status().lifecycle === 'open',
      isEarly: () => fromRevision > store.status().revision + 1,
    };
    const record: WatchRecord = {
      member: `${name}.${life}`,
      keys: this.#keys,
      filter: this.#filter,
      fromRevision,
      changes: [],
      batches: [],
    };
    let iterator: WatchIterator;
    try {
      const fragment = randomInt(this.#random, 2) === 0;
      const options = { ...this.#filter, fromRevision, fragment, progressMs: 700 };
      const watch = store.watch(this.#target, options);
      iterator = watch[Symbol.asyncIterator]();
    } catch (error) {
      this.#ended(`with ${errorText(error)}`, place);
      // The member has stopped: it is started again soon.
      return sleep(lookMs);
    }
    this.records.push(record);
    const stream = this.#opened(record);
    for (let left = 1 + randomInt(this.#random, 60); left > 0 && !this.#stopped; left -= 1) {
      const outcome = await this.#nextOf(iterator, place);
      if (outcome === 'lost') record.end = outcome;
      else if (typeof outcome === 'object') {
        addBatch(record, outcome);
        this.#observe(batchStep(stream, outcome));
      } else {
        record.end = 'compacted';
        record.compactRevision = outcome;
      }
      if (record.end !== undefined) break;
      await sleep(this.#naps && randomInt(this.#random, 20) === 0 ? napMs : this.#slowMs);
    }
    record.end ??= 'closed';
    if (record.end === 'compacted') this.#observe({ kind: 'watch-ended', stream });
    if (record.end === 'lost') this.#observe({ kind: 'watch-lost', stream });
    if (place.lives()) void iterator.return?.();
    this.#goOn(record);
  }

  /** @returns the name of the stream, the old one if it goes on where that was */
  #opened({ member, keys, filter, fromRevision }: WatchRecord): string {
    if (fromRevision !== this.#next || this.#wasCompacted) this.#stream += 1;
    const stream = `watch ${this.#client}.${this.#stream}`;
    this.#observe({ kind: 'watch-opened', stream, member, fromRevision, ...keys, ...filter });
    return stream;
  }

  /** The next batch; the compacted revision; or `lost`. */
  async #nextOf(iterator: WatchIterator, place: Place): Promise<WatchBatch | number | 'lost'> {
    let isLeft = false;
    const ended = (how: string) => (isLeft ? 'lost' : this.#ended(how, place));
    const next = iterator.next().then(
      ({ value }) => value ?? ended('without a word'),
      (error: unknown) => {
        if (isKontikiError(error, 'COMPACTED')) return Number(error.compactRevision);
        return ended(`with ${errorText(error)}`);
      },
    );
    this.#isWaiting = true;
    for (;;) {
      const outcome = await Promise.race([next, this.#context.sleep(lookMs)]);
      // Who is stopped waits all the same: a stream that is silent for ever is noticed here alone.
      isLeft = outcome === undefined && (!place.lives() || (this.#stopped && place.isEarly()));
      if (outcome === undefined && !isLeft) continue;
      this.#isWaiting = false;
      return outcome ?? 'lost';
    }
  }

  /** W10: as long as its member serves, a watch goes on, or says from where on it cannot (etcd 17529). */
  #ended(how: string, place: Place): 'lost' {
    if (place.serves()) this.#context.violated('W10', `a watch of a member that runs ended ${how}`);
    return 'lost';
  }

  /** Mostly right behind what was seen; now and then anywhere near the present. */
  #from(store: Store): number {
    if (randomInt(this.#random, 4) > 0) return this.#next;
    const { revision } = store.status();
    return Math.max(1, revision + randomInt(this.#random, 40) - 30);
  }

  #goOn({ batches, compactRevision, fromRevision, end }: WatchRecord): void {
    this.#wasCompacted = end === 'compacted';
    const last = batches.at(-1);
    this.#next = fromRevision;
    if (last !== undefined) this.#next = last.whole ? last.revision + 1 : last.revision;
    if (compactRevision !== undefined) this.#next = Math.max(1, compactRevision);
  }
}

function batchStep(stream: string, batch: WatchBatch): Untimed<StoreStep> {
  const { events, revision, fragment } = batch;
  const changes = events.map(({ type, kv, previous }) => {
    const version = versionOf(kv);
    const { key, modRevision } = version;
    const current = type === 'put' ? version : undefined;
    return changeOf({ key, type, revision: modRevision }, current, previous?.modRevision);
  });
  return { kind: 'watch-batch', stream, revision, changes, fragment };
}
