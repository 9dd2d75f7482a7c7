/** M6: members that are at the same revision hold the same. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { StoreStepOf } from './store-step.js';

type Step = StoreStepOf<'hash'>;

/**
 * The hash of the keyspace is a function of its revision and of how far it is compacted; that of
 * everything a member holds, of the entry it is behind.
 *
 * @since 0.1.0
 */
export class EqualHashes implements Invariant<Step> {
  readonly id = 'M6';
  readonly title = 'equal hashes at equal revisions';
  readonly source = 'etcd 13766; hash.go';
  readonly kinds = ['hash'] as const;
  readonly #hashes = new Map<string, { readonly member: string; readonly hash: number | string }>();

  check({ atUs, member, revision, compactRevision, hash, index }: Step): void {
    const key = index === undefined ? `${revision}/${compactRevision}` : `entry ${index}`;
    const known = this.#hashes.get(key);
    if (known === undefined) this.#hashes.set(key, { member, hash });
    else if (known.hash !== hash) {
      const at = index === undefined ? `revision ${revision}, compacted ${compactRevision}` : key;
      const message = `hash of ${member} at ${at} is ${hash}, that of ${known.member} ${known.hash}`;
      throw new InvariantViolation(this.id, atUs, message);
    }
  }
}
