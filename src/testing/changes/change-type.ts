/**
 * What a change of the membership is: a value that says what an operator does, and a type that can draw
 * such values and carry them out, step by step, while faults go on.
 */
import type { Random } from '../../base/prng.js';
import type { SimCluster, SimMembers, SimService } from '../cluster/sim-cluster.js';
import type { FaultTarget } from '../faults/fault-type.js';
import type { MemberLedger } from './member-ledger.js';

/** What the changes of one run share. @since 0.1.0 */
export interface ChangeContext {
  readonly cluster: SimCluster<SimService>;
  /** Of this change alone. */
  readonly random: Random;
  /** Who belongs to the group, and did. */
  readonly ledger: MemberLedger;
  /** The run heals: no further step is begun. */
  readonly isOver: boolean;
  /** The member that a target stands for now: see `FaultContext`. */
  resolve(target: FaultTarget): string | undefined;
  /** A name that no member had. */
  freshName(): string;
  /** Starts a member that does not run, as often as it takes, unless it is lost for good. */
  restart(name: string): void;
  /** Asks for leave to have a member lose its data, as `FaultContext.mayDamage` does. */
  mayDamage(name: string): boolean;
  /** Whether the group could still decide without a member, damaged ones counted as gone. */
  mayLeave(name: string): boolean;
  /** A member that lost its data gets another id: what was damaged is of no interest any more. */
  renewed(name: string): void;
  /** Asks to be the only one at work on a member; {@link release} ends it. */
  claim(name: string): boolean;
  release(name: string): void;
  /** Members whose data is damaged for good. */
  readonly lost: readonly string[];
  sleep(ms: number): Promise<void>;
  /**
   * Makes a call through a member that runs, any one.
   *
   * @returns what came of it; `lost` when its member died, `unknown` also when none runs
   */
  call<T>(run: (members: SimMembers) => Promise<T>): Promise<Called<T>>;
}

/** What came of a call. @since 0.1.0 */
export type Called<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'rejected' | 'unknown'; readonly code: string | undefined }
  | { readonly kind: 'lost' };

/** @since 0.1.0 */
export interface ChangeType<C extends { readonly kind: string }> {
  readonly kind: C['kind'];
  /** Draws one. */
  draw(random: Random, members: readonly string[]): C;
  /** Carries it out; must not reject for what the group does. */
  make(change: C, context: ChangeContext): Promise<void>;
}
