/**
 * Holds simulated stores to the invariants of the keyspace after every entry that a member applies and
 * every batch that a watcher is handed.
 *
 * What an entry changed is heard by a watcher of all keys in the hub of each member, which is told
 * while the entry executes. Who watches as a client may hear of it before the node tells its observer:
 * batches wait until history has got to their revision.
 */
import { assert } from '../../base/assert.js';
import { binaryString } from '../../base/bytes.js';
import type { RevisionEvents } from '../../mvcc/history-query.js';
import type { KeyVersion } from '../../mvcc/types.js';
import type { Watcher } from '../../mvcc/watcher.js';
import type { ApplyResult, Entry, OpenedNode } from '../../node/index.js';
import { StoreStateMachine } from '../../store/state-machine.js';
import { InvariantViolation } from '../invariants/invariant-violation.js';
import { StoreChecker } from '../invariants/store-checker.js';
import { storeInvariantsFor } from '../invariants/store-invariants.js';
import type { ChangeView, StoreStep } from '../invariants/store-step.js';
import { ViolationGuard } from '../run/violation-guard.js';
import type { WorkloadContext } from '../run/workload.js';
import type { SimMachine } from '../sim-machine.js';
import { driftPpm } from './lease-ledger.js';

/** One life of a member. */
interface Life {
  readonly name: string;
  readonly machine: StoreStateMachine;
  /** Changes of revisions whose entries the node has not told of yet. */
  heard: RevisionEvents[];
  watcher: Watcher;
  /** Behind the last entry. */
  revision: number;
}

/** What of a step is for its observer to say. @since 0.1.0 */
export type Untimed<S> = S extends unknown ? Omit<S, 'atUs'> : never;

/** @since 0.1.0 */
export class StoreWatch {
  readonly #checker = new StoreChecker(storeInvariantsFor({ driftPpm }));
  readonly #guard: ViolationGuard;
  readonly #context: Pick<WorkloadContext<never>, 'nowUs'>;
  readonly #onEntry: (entry: Entry, result: ApplyResult) => void;
  /** Steps of watches, in order, from the first on that knows more than history does. */
  readonly #waiting: StoreStep[] = [];
  /** Last entry that any member applied. */
  #appliedMax = 0;
  /** Its term. */
  #appliedTerm = 0;

  /**
   * @param context - of the run
   * @param onEntry - told of each entry once, right behind the `applied` of who was first
   */
  constructor(
    context: Pick<WorkloadContext<never>, 'nowUs' | 'violated'>,
    onEntry: (entry: Entry, result: ApplyResult) => void,
  ) {
    this.#context = context;
    this.#guard = new ViolationGuard((id, message) => context.violated(id, message));
    this.#onEntry = onEntry;
  }

  /** Looks on from the next boot of a machine on, beside whoever does already. */
  watch(machine: SimMachine): void {
    const { name, observer, onCrash } = machine;
    let life: Life | undefined;
    machine.observer = {
      ...observer,
      opened: (node) => {
        this.#guard.look(() => {
          life = lifeOf(name, node);
        });
        observer.opened(node);
      },
      applied: (entries, results) => {
        const running = life;
        if (running !== undefined) this.#guard.look(() => this.#applied(running, entries, results));
        observer.applied(entries, results);
      },
      installed: (index) => {
        const running = life;
        if (running !== undefined) this.#guard.look(() => this.#installed(running, index));
        observer.installed(index);
      },
    };
    machine.onCrash = () => {
      life = undefined;
      onCrash?.();
    };
  }

  /** Takes what somebody saw just now. */
  observe(seen: Untimed<StoreStep>): void {
    const step = { ...seen, atUs: this.#context.nowUs } as StoreStep;
    this.#guard.look(() => {
      if ('stream' in step) {
        this.#waiting.push(step);
        this.#takeWaiting();
      } else this.#checker.observe(step);
    });
  }

  /** The run is over, all members are equal, and no watcher has anything to come. */
  end(): void {
    this.#guard.look(() => {
      const [step] = this.#waiting;
      const { nowUs: atUs } = this.#context;
      if (step?.kind === 'watch-batch') {
        const message = `${step.stream} was told of revision ${step.revision}, which nobody made`;
        throw new InvariantViolation('W6', atUs, message);
      }
      this.#checker.observe({ kind: 'end', atUs });
    });
  }

  #takeWaiting(): void {
    const { revisions } = this.#checker.facts;
    for (let step = this.#waiting[0]; step !== undefined; step = this.#waiting[0]) {
      if (step.kind === 'watch-batch' && step.revision > revisions.last) return;
      this.#waiting.shift();
      this.#checker.observe(step);
    }
  }

  #applied(life: Life, entries: readonly Entry[], results: readonly ApplyResult[]): void {
    entries.forEach((entry, at) => {
      const { index } = entry;
      const result = results[at] as ApplyResult;
      const changes = this.#changesOf(life, result);
      const { name: member, revision } = life;
      const atUs = this.#context.nowUs;
      this.#checker.observe({ kind: 'applied', atUs, member, index, revision, changes });
      if (index <= this.#appliedMax) return;
      this.#appliedMax = index;
      this.#beginTerm(entry);
      this.#onEntry(entry, result);
    });
    const [untold] = life.heard;
    assert(untold === undefined, `${life.name}: an entry made revision ${untold?.revision}`);
    this.#takeWaiting();
    this.#hashed(life);
  }

  #beginTerm({ term }: Entry): void {
    if (term === this.#appliedTerm) return;
    this.#appliedTerm = term;
    this.#checker.observe({ kind: 'term-began', atUs: this.#context.nowUs, term });
  }

  /** Moves a life to the revision behind an entry. */
  #changesOf(life: Life, { value }: ApplyResult): readonly ChangeView[] {
    const revision = revisionOf(value);
    if (revision === undefined || revision <= life.revision) return [];
    life.revision = revision;
    const heard = life.heard.shift();
    assert(heard?.revision === revision, `${life.name}: watchers were told of ${revision}`);
    return heard.events.map(({ type, key, revision: at, current, previous }) => {
      return changeOf({ type, key, revision: at }, current, previous?.modRevision);
    });
  }

  #installed(life: Life, index: number): void {
    life.watcher.close();
    life.heard = [];
    life.watcher = listen(life.machine, life.heard);
    life.revision = life.machine.keyspace.revision;
    assert(life.machine.appliedIndex === index, `${life.name} is at ${index}`);
    this.#hashed(life);
  }

  #hashed({ name: member, machine, revision }: Life): void {
    const { keyspace, appliedIndex: index } = machine;
    const { compactRevision, stateHash: hash } = keyspace;
    const atUs = this.#context.nowUs;
    this.#checker.observe({ kind: 'hash', atUs, member, revision, compactRevision, hash, index });
  }
}

function lifeOf(name: string, { machine }: OpenedNode): Life {
  assert(machine instanceof StoreStateMachine, `${name} is a store`);
  const heard: RevisionEvents[] = [];
  const { revision } = machine.keyspace;
  return { name, machine, heard, watcher: listen(machine, heard), revision };
}

/** Hears all changes of a member while they happen. */
function listen({ hub }: StoreStateMachine, heard: RevisionEvents[]): Watcher {
  const offer = (revision: RevisionEvents): boolean => {
    heard.push(revision);
    return true;
  };
  // It never falls behind, save with a snapshot, when another one takes its place.
  return hub.watch({ keys: { gte: '\0' }, consumer: { offer, ready: () => undefined } });
}

/** The revision that a result names. @since 0.1.0 */
export function revisionOf(value: unknown): number | undefined {
  if (typeof value !== 'object' || value === null || !('op' in value)) return undefined;
  return 'revision' in value ? Number(value.revision) : undefined;
}

/** A change as the rules read it. @since 0.1.0 */
export function changeOf(
  change: Pick<ChangeView, 'key' | 'type' | 'revision'>,
  current: KeyVersion | undefined,
  previousRevision: number | undefined,
): ChangeView {
  const { key, type, revision } = change;
  if (current === undefined) return { key, type, revision, previousRevision };
  const { createRevision, version, lease } = current;
  const value = binaryString(current.value);
  return { key, type, revision, createRevision, version, value, lease, previousRevision };
}
