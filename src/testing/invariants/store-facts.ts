/**
 * What is known of a replicated keyspace as a whole: its history, as the first member to execute each
 * entry told it, the watches, and the leases. The invariants compare everything else with it.
 */
import { IndexedList } from './indexed-list.js';
import type { ChangeView, StoreStep, StoreStepOf } from './store-step.js';

/**
 * A change as history has it, with what it found.
 *
 * @since 0.1.0
 */
export interface KnownChange extends ChangeView {
  /** `modRevision` of the version before; 0: the key did not exist. */
  readonly replaced: number;
  /** What a put leads to: 1 and its own revision for a new key. */
  readonly expectedVersion: number;
  readonly expectedCreateRevision: number;
  /** The lease that the version before was attached to. */
  readonly leaseBefore: bigint | undefined;
}

/**
 * One watch as its consumer knows it.
 *
 * @since 0.1.0
 */
export interface StreamFacts {
  readonly gte: string;
  readonly lt: string | undefined;
  readonly noPut: boolean | undefined;
  readonly noDelete: boolean | undefined;
  /** Everything up to here was delivered. */
  delivered: number;
  /** The revision of which a part was delivered, and that part; 0: none. */
  openRevision: number;
  openChanges: readonly ChangeView[];
  isEnded: boolean;
}

/**
 * One lease as clients know it.
 *
 * @since 0.1.0
 */
export interface LeaseFacts {
  ttlUs: number;
  /** When the newest grant or keep-alive that succeeded was asked for. */
  sentUs: number;
  /** When it ended, and at which revision; `undefined` while it lives. */
  ended: { readonly atUs: number; readonly revision: number } | undefined;
}

interface Key {
  readonly modRevision: number;
  readonly createRevision: number;
  readonly version: number;
  readonly lease: bigint | undefined;
}

/**
 * Gathered facts. Read by invariants, written by `StoreChecker` alone.
 *
 * @since 0.1.0
 */
export class StoreFacts {
  /** Changes by revision. */
  readonly revisions = new IndexedList<readonly KnownChange[]>(2);
  readonly streams = new Map<string, StreamFacts>();
  readonly leases = new Map<bigint, LeaseFacts>();
  readonly #revisionAt = new Map<number, number>();
  readonly #keys = new Map<string, Key>();
  readonly #attached = new Map<bigint, number>();

  /** Revision of the keyspace behind an entry of the log. */
  revisionAt(index: number): number | undefined {
    return this.#revisionAt.get(index);
  }

  /** How many keys are attached to a lease. */
  attached(lease: bigint): number {
    return this.#attached.get(lease) ?? 0;
  }

  /** Takes what is new in a step, before the rules are asked. */
  take(step: StoreStep): void {
    if (step.kind !== 'applied') return;
    const { index, revision, changes } = step;
    if (!this.#revisionAt.has(index)) this.#revisionAt.set(index, revision);
    if (changes.length === 0 || revision !== this.revisions.last + 1) return;
    this.revisions.push(changes.map((change) => this.#apply(change)));
  }

  #apply(change: ChangeView): KnownChange {
    const before = this.#keys.get(change.key);
    const known: KnownChange = {
      ...change,
      replaced: before?.modRevision ?? 0,
      expectedVersion: (before?.version ?? 0) + 1,
      expectedCreateRevision: before?.createRevision ?? change.revision,
      leaseBefore: before?.lease,
    };
    if (before?.lease !== undefined) this.#attach(before.lease, -1);
    if (change.type === 'delete') this.#keys.delete(change.key);
    else {
      const { revision: modRevision, lease } = change;
      const { expectedVersion: version, expectedCreateRevision: createRevision } = known;
      this.#keys.set(change.key, { modRevision, createRevision, version, lease });
      if (lease !== undefined) this.#attach(lease, 1);
    }
    return known;
  }

  #attach(lease: bigint, by: number): void {
    this.#attached.set(lease, this.attached(lease) + by);
  }

  /** Takes what a step leaves behind, after the rules were asked. */
  keep(step: StoreStep): void {
    switch (step.kind) {
      case 'watch-opened': {
        const { stream, gte, lt, noPut, noDelete, fromRevision } = step;
        const delivered = fromRevision - 1;
        const fresh = { delivered, openRevision: 0, openChanges: [], isEnded: false };
        this.streams.set(stream, { gte, lt, noPut, noDelete, ...fresh });
        break;
      }
      case 'watch-batch':
        this.#keepBatch(step);
        break;
      case 'watch-ended': {
        const stream = this.streams.get(step.stream);
        if (stream !== undefined) stream.isEnded = true;
        break;
      }
      case 'lease-began':
        this.leases.delete(step.lease);
        break;
      case 'lease-granted':
      case 'lease-renewed':
        this.#keepLease(step);
        break;
      case 'lease-ended': {
        const lease = this.leases.get(step.lease);
        const { atUs, revision } = step;
        if (lease !== undefined) lease.ended ??= { atUs, revision };
        break;
      }
      default:
    }
  }

  #keepBatch({ stream: name, revision, changes, fragment }: StoreStepOf<'watch-batch'>): void {
    const stream = this.streams.get(name);
    if (stream === undefined) return;
    if (fragment === true) {
      const open = changes.filter((change) => change.revision === revision);
      const isSame = stream.openRevision === revision;
      stream.openChanges = isSame ? [...stream.openChanges, ...open] : open;
      stream.openRevision = revision;
      stream.delivered = Math.max(stream.delivered, revision - 1);
    } else {
      stream.openRevision = 0;
      stream.openChanges = [];
      stream.delivered = Math.max(stream.delivered, revision);
    }
  }

  #keepLease(step: StoreStepOf<'lease-granted' | 'lease-renewed'>): void {
    const { lease: id, ttlUs, sentUs } = step;
    const lease = this.leases.get(id);
    if (lease === undefined || step.kind === 'lease-granted') {
      this.leases.set(id, { ttlUs, sentUs, ended: undefined });
    } else {
      lease.ttlUs = ttlUs;
      lease.sentUs = Math.max(lease.sentUs, sentUs);
    }
  }
}
