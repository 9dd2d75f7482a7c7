/**
 * What a fault is: a value that says what goes wrong, and a type that can draw such values and carry
 * them out. Faults are values so that a run can be written down, repeated and made smaller.
 */
import type { Random } from '../../base/prng.js';
import type { SimCluster, SimService } from '../cluster/sim-cluster.js';
import type { Moment } from './moments.js';

/**
 * Whom a fault hits, decided when it happens: a member by name, who leads, one that does not, or
 * anyone.
 *
 * @since 0.1.0
 */
export type FaultTarget = string;

/** What the faults of one run share. @since 0.1.0 */
export interface FaultContext {
  readonly cluster: SimCluster<SimService>;
  /** Of this fault alone. */
  readonly random: Random;
  /**
   * The member that a target stands for now.
   *
   * @returns its name; `undefined` when there is none, as no `leader` during an election
   */
  resolve(target: FaultTarget): string | undefined;
  /**
   * Calls back after virtual milliseconds, or when the run heals, whichever comes first: how a fault
   * ends itself.
   */
  until(ms: number, end: () => void): void;
  /**
   * Calls back, once, with the member that is the first to do something rare.
   *
   * @returns waits no more; idempotent
   */
  onMoment(moment: Moment, action: (name: string) => void): () => void;
  /** Starts a member again, as often as it takes, unless it runs. */
  restart(name: string): void;
  /**
   * Asks for leave to damage what a member has stored. At most a minority may be damaged in a run,
   * else nothing could be owed any more (reliability plan §7.4).
   */
  mayDamage(name: string): boolean;
  /** The same, to put an old copy in the place of it: the member must not take part any more. */
  mayRollBack(name: string): boolean;
  /** Tells that the disk of a member fails or is full: it may stop for that, and is started again. */
  mayStop(name: string): void;
}

/** @since 0.1.0 */
export interface FaultType<F extends { readonly kind: string }> {
  readonly kind: F['kind'];
  /** Draws one. */
  draw(random: Random, members: readonly string[]): F;
  /** Carries it out. */
  inject(fault: F, context: FaultContext): void;
}
