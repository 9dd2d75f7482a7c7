/** W4: a stream has exactly what history has. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { KnownChange, StoreFacts, StreamFacts } from './store-facts.js';
import type { ChangeView, StoreStepOf } from './store-step.js';

type Step = StoreStepOf<'watch-batch'>;

/**
 * Between what was delivered and the revision of the batch, every change of the range comes, in the
 * order of history, and nothing else.
 *
 * @since 0.1.0
 */
export class ReliableWatch implements Invariant<Step> {
  readonly id = 'W4';
  readonly title = 'no event is missing, no event is made up';
  readonly source = 'etcd watch guarantees; etcd 18089, 17529, 20221';
  readonly kinds = ['watch-batch'] as const;
  readonly #facts: StoreFacts;

  constructor(facts: StoreFacts) {
    this.#facts = facts;
  }

  check({ atUs, stream: name, revision, changes, fragment }: Step): void {
    const stream = this.#facts.streams.get(name);
    if (stream === undefined) {
      throw new InvariantViolation(this.id, atUs, `${name} got a batch, and was never opened`);
    }
    const expected = this.#expected(stream, revision);
    if (expected === undefined) return;
    const got = [...stream.openChanges, ...changes];
    const length = fragment === true ? got.length : Math.max(got.length, expected.length);
    for (let at = 0; at < length; at += 1) {
      const [wanted, found] = [expected[at], got[at]];
      if (wanted !== undefined && found !== undefined && isSameChange(wanted, found)) continue;
      const texts = `${text(wanted)}, got ${text(found)}`;
      throw new InvariantViolation(this.id, atUs, `${name} up to ${revision}: expected ${texts}`);
    }
  }

  /** Changes of the range since what was delivered; `undefined` when history is not known. */
  #expected(stream: StreamFacts, revision: number): KnownChange[] | undefined {
    const { delivered } = stream;
    const { revisions } = this.#facts;
    const expected: KnownChange[] = [];
    if (revision > revisions.last || delivered + 1 < revisions.first) return undefined;
    for (let at = delivered + 1; at <= revision; at += 1) {
      for (const change of revisions.at(at) ?? []) {
        if (isWanted(stream, change)) expected.push(change);
      }
    }
    return expected;
  }
}

function isWanted({ gte, lt, noPut, noDelete }: StreamFacts, { key, type }: ChangeView): boolean {
  if (type === 'put' ? noPut === true : noDelete === true) return false;
  return key >= gte && (lt === undefined || key < lt);
}

/**
 * Whether two tellings of a change agree; what one does not say does not count.
 *
 * @since 0.1.0
 */
export function isSameChange(a: ChangeView, b: ChangeView): boolean {
  return (
    a.key === b.key &&
    a.type === b.type &&
    a.revision === b.revision &&
    (a.value ?? b.value) === (b.value ?? a.value)
  );
}

function text(change: ChangeView | undefined): string {
  if (change === undefined) return 'nothing';
  return `${change.type} of ${change.key} at ${change.revision} (${change.value ?? ''})`;
}
