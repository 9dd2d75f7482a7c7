/** How often clients of a store make each kind of call: mostly in the proportions of etcd's robustness tests. */
import { type Random, randomInt } from '../../base/prng.js';

/** Of a hundred calls. */
const usual = {
  put: 26,
  putWithLease: 6,
  get: 18,
  getOld: 6,
  range: 10,
  delete: 7,
  deleteRange: 3,
  compareAndSet: 10,
  txn: 5,
  compact: 3,
  grant: 3,
  revoke: 3,
  leaseReads: 1,
  // For scenarios that ask for it: leases end while they are given back and granted anew.
  regrant: 0,
} as const;

/** @since 0.1.0 */
export type CallKind = keyof typeof usual;

/**
 * Calls of each kind relative to each other; those that are absent are not made. `renew`: how many
 * leases are kept alive beside so many calls; default 9.
 *
 * @since 0.1.0
 */
export type CallWeights = Readonly<Partial<Record<CallKind | 'renew', number>>>;

/** In which proportions calls are made unless a scenario says otherwise. @since 0.1.0 */
export const usualCalls: CallWeights = usual;

const kinds = Object.keys(usual) as readonly CallKind[];
const renewUsual = 9;

/** Chooses what to do next. @since 0.1.0 */
export function drawCallKind(weights: CallWeights, random: Random): CallKind {
  let at = randomInt(random, Math.max(1, totalOf(weights)));
  for (const kind of kinds) {
    at -= weights[kind] ?? 0;
    if (at < 0) return kind;
  }
  return 'put';
}

/** Whether a lease is kept alive first. @since 0.1.0 */
export function drawRenewal(weights: CallWeights, random: Random): boolean {
  const { renew = renewUsual } = weights;
  return randomInt(random, totalOf(weights) + renew + 1) < renew;
}

function totalOf(weights: CallWeights): number {
  return kinds.reduce((sum, kind) => sum + (weights[kind] ?? 0), 0);
}
