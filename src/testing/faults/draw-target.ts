/** Draws whom a fault hits: now and then the leader, whose loss hurts most. */
import { type Random, randomInt } from '../../base/prng.js';
import type { FaultTarget } from './fault-type.js';

/** @since 0.1.0 */
export function drawTarget(random: Random, members: readonly string[]): FaultTarget {
  const at = randomInt(random, members.length + 2);
  return members[at] ?? (at === members.length ? 'leader' : 'follower');
}
