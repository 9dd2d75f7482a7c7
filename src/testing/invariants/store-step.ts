/**
 * What the invariants of the keyspace are told, by whoever stands between clients and stores: calls
 * and answers, what each member's keyspace did, and what watchers were handed.
 */

/**
 * One change of a key, as a watcher or a keyspace tells it.
 *
 * @since 0.1.0
 */
export interface ChangeView {
  readonly key: string;
  readonly type: 'put' | 'delete';
  /** The revision it belongs to. */
  readonly revision: number;
  /** Of a put: revision that created this generation of the key, and its count of puts. */
  readonly createRevision?: number;
  readonly version?: number;
  /** Of a put: any text that stands for the value. */
  readonly value?: string;
  /** Of a put: the lease it is attached to. */
  readonly lease?: bigint | undefined;
  /** `modRevision` of the version before, where the watcher was told; absent: it was not. */
  readonly previousRevision?: number | undefined;
}

interface LeaseAnswer {
  readonly lease: bigint;
  readonly ttlUs: number;
  readonly sentUs: number;
}

/**
 * One observation. `member` names the store, `stream` one watch, for ever.
 *
 * - `applied`: a member's keyspace executed a log entry and is at `revision`; `changes` are those of
 *   this revision, none when it is the revision before. Reported per entry, in order, on each member;
 *   after a restart again from where the member resumes.
 * - `hash`: a member's keyspace has this hash at this revision; with `index`, all that it holds has,
 *   behind that entry.
 * - `watch-opened`: wants changes from `fromRevision` on, of keys in `[gte, lt)`, without puts or
 *   without deletes if so said; `member` may change when a stream resumes elsewhere, then the stream
 *   is opened again under its name.
 * - `watch-batch`: as handed to the consumer; without changes it is a bookmark: everything up to
 *   `revision` was delivered. `fragment`: the rest of `revision` follows in the next batch.
 * - `watch-ended`: told to the consumer, with a reason. `watch-lost`: its member died.
 * - `term-began`: a member applied the first entry of a term, before all others; before what the entry did.
 * - `lease-began`: the entry `index` of the log granted it, whoever hears of it; ids may be used again.
 * - `lease-noted`: an entry says how long it has left, `ttlUs` again when it was renewed.
 * - `lease-granted`, `lease-renewed`: a client was told; `sentUs` is when it had asked.
 * - `lease-ended`: an entry of the log ended it, for whatever `reason`; `revision` is the one that
 *   deleted its keys, 0 when it had none. After the `applied` of that entry, which is of term `term`. With
 *   `decided` when it expired: by the leader of which term, and which entry had granted what it meant.
 * - `called`, `settled`: a client's call, numbered; `lost`: its member died, so nobody waits for it.
 * - `healed`: from here on there are no faults; `end`: the run is over.
 *
 * @since 0.1.0
 */
export type StoreStep = { readonly atUs: number } & (
  | {
      readonly kind: 'applied';
      readonly member: string;
      readonly index: number;
      readonly revision: number;
      readonly changes: readonly ChangeView[];
    }
  | {
      readonly kind: 'hash';
      readonly member: string;
      readonly revision: number;
      readonly compactRevision: number;
      readonly hash: number | string;
      readonly index?: number | undefined;
    }
  | {
      readonly kind: 'watch-opened';
      readonly stream: string;
      readonly member: string;
      readonly fromRevision: number;
      readonly gte: string;
      /** Absent: no end. */
      readonly lt?: string | undefined;
      readonly noPut?: boolean | undefined;
      readonly noDelete?: boolean | undefined;
    }
  | {
      readonly kind: 'watch-batch';
      readonly stream: string;
      readonly revision: number;
      readonly changes: readonly ChangeView[];
      readonly fragment?: boolean | undefined;
    }
  | { readonly kind: 'watch-ended'; readonly stream: string }
  | { readonly kind: 'watch-lost'; readonly stream: string }
  | { readonly kind: 'term-began'; readonly term: number }
  | {
      readonly kind: 'lease-began';
      readonly lease: bigint;
      readonly index?: number | undefined;
      readonly ttlUs?: number | undefined;
    }
  | { readonly kind: 'lease-noted'; readonly lease: bigint; readonly leftUs: number }
  | ({ readonly kind: 'lease-granted' } & LeaseAnswer)
  | ({ readonly kind: 'lease-renewed' } & LeaseAnswer)
  | {
      readonly kind: 'lease-ended';
      readonly lease: bigint;
      readonly revision: number;
      readonly reason: 'expired' | 'revoked';
      readonly term?: number | undefined;
      readonly decided?: { readonly term: number; readonly generation: number } | undefined;
    }
  | { readonly kind: 'called'; readonly call: number }
  | { readonly kind: 'settled'; readonly call: number }
  | { readonly kind: 'lost'; readonly call: number }
  | { readonly kind: 'healed' }
  | { readonly kind: 'end' }
);

/**
 * One kind of {@link StoreStep}.
 *
 * @since 0.1.0
 */
export type StoreStepOf<K extends StoreStep['kind']> = Extract<StoreStep, { readonly kind: K }>;
