/**
 * Marks that runs must reach now and then ("sometimes" assertions, reliability §7.6): one that stays
 * away tells that simulations no longer test what they are thought to test.
 *
 * A mark stands where its chance to be missed by mistake is below one in a million; those that few
 * seeds reach wait for deep runs (`KONTIKI_DEPTH`).
 */
import { faultKinds } from '../faults/fault.js';
import type { SimProfile } from '../swarm/profiles.js';

/** @since 0.1.0 */
export interface DeclaredMarks {
  /** Name of the profile by whose seeds they are held to it. */
  readonly profile: string;
  /** In so many seeds each of them is reached. */
  readonly within: number;
  readonly marks: readonly string[];
}

function faultsIn(...phases: readonly string[]): readonly string[] {
  return faultKinds.flatMap((kind) => phases.map((phase) => `fault.${kind}@${phase}`));
}

/** Of whole stores. */
const storeMarks: readonly DeclaredMarks[] = [
  {
    profile: 'churn',
    within: 8,
    marks: [
      'calls.ok',
      'calls.unknown',
      'changes',
      'got.append-response@leader/same',
      'got.pre-vote-response@pre-candidate/newer',
      'got.vote-response@candidate/same',
      'keptAlive',
      'leases.expired',
      'refused.COMPACTED',
      'role.candidate>leader',
      'role.follower>pre-candidate',
      'role.pre-candidate>candidate',
      'watches.lost',
    ],
  },
  {
    profile: 'churn',
    within: 60,
    marks: [
      'calls.rejected',
      'got.heartbeat-request@follower/newer',
      'got.heartbeat-request@pre-candidate/same',
      'got.pre-vote-request@candidate/same',
      'got.pre-vote-request@follower/newer',
      'got.pre-vote-request@leader/newer',
      'got.pre-vote-request@pre-candidate/newer',
      'got.read-request@leader/same',
      'got.read-response@follower/same',
      'got.vote-request@follower/newer',
      'got.vote-request@follower/same',
      'got.vote-request@pre-candidate/newer',
      'got.vote-response@leader/same',
      'log.compacted',
      'refused.FUTURE_REVISION',
      'refused.LEADER_CHANGED',
      'refused.LEASE_EXISTS',
      'refused.TIMEOUT',
      'role.leader>follower',
      'role.pre-candidate>follower',
      'watches.compacted',
      ...faultsIn('electing'),
    ],
  },
  {
    profile: 'churn',
    within: 400,
    marks: [
      'got.append-request@candidate/same',
      'got.append-request@follower/older',
      'got.append-request@leader/older',
      'got.append-request@pre-candidate/same',
      'got.append-response@follower/same',
      'got.append-response@leader/newer',
      'got.heartbeat-request@candidate/older',
      'got.heartbeat-request@follower/older',
      'got.heartbeat-request@leader/newer',
      'got.heartbeat-request@leader/older',
      'got.heartbeat-request@pre-candidate/newer',
      'got.heartbeat-response@follower/same',
      'got.pre-vote-request@candidate/newer',
      'got.pre-vote-response@follower/older',
      'got.storage-append-response@pre-candidate/same',
      'got.vote-request@candidate/same',
      'got.vote-response@pre-candidate/same',
      'got.snapshot-request@follower/same',
      'log.truncated',
      'read.by-lease',
      'refused.LEASE_NOT_FOUND',
      'refused.NO_LEADER',
      'refused.STORAGE_IO',
      'role.candidate>follower',
      'role.candidate>pre-candidate',
      'snapshot.installed',
      'snapshot.sent',
      ...faultsIn('replicating', 'resting'),
    ],
  },
  {
    profile: 'churn',
    within: 2_000,
    marks: faultsIn('compacting', 'expiring', 'snapshotting', 'starting'),
  },
  { profile: 'away', within: 16, marks: ['snapshot.installed', 'snapshot.sent'] },
  { profile: 'transfers', within: 40, marks: ['snapshot.resumed'] },
  { profile: 'disk', within: 100, marks: ['refused.NO_SPACE'] },
  { profile: 'focused', within: 30, marks: ['snapshot.installed', 'watches.compacted'] },
  { profile: 'focus-compaction', within: 20, marks: ['history.compacted'] },
  {
    profile: 'focused',
    within: 400,
    marks: ['fault.crash-installing@snapshotting', 'fault.slow-link@electing', 'read.by-lease'],
  },
];

/** Of bare cores. */
const coreMarks: readonly DeclaredMarks[] = [
  {
    profile: 'cores',
    within: 12,
    marks: [
      'committed',
      'compactions',
      'elections',
      'got.append-request@follower/same',
      'got.append-response@leader/same',
      'got.heartbeat-request@follower/same',
      'got.heartbeat-response@leader/same',
      'got.snapshot-request@follower/same',
      'got.vote-request@follower/newer',
      'got.vote-response@candidate/same',
      'got.vote-response@leader/same',
      'logTruncated',
      'readsAnswered',
      'snapshotsInstalled',
    ],
  },
  {
    profile: 'cores',
    within: 100,
    marks: [
      'change',
      'changesApplied',
      'crash',
      'crashesBetweenEffects',
      'demoted',
      'got.append-request@candidate/older',
      'got.append-request@candidate/same',
      'got.append-request@follower/newer',
      'got.append-request@follower/older',
      'got.append-request@leader/newer',
      'got.append-request@leader/older',
      'got.append-request@pre-candidate/same',
      'got.append-response@follower/older',
      'got.append-response@leader/newer',
      'got.heartbeat-request@candidate/older',
      'got.heartbeat-request@leader/newer',
      'got.heartbeat-request@leader/older',
      'got.heartbeat-request@pre-candidate/newer',
      'got.heartbeat-response@follower/older',
      'got.pre-vote-request@leader/newer',
      'got.pre-vote-response@candidate/older',
      'got.propose-request@leader/older',
      'got.read-request@follower/same',
      'got.timeout-now@follower/same',
      'got.vote-request@candidate/newer',
      'got.vote-request@leader/newer',
      'got.vote-response@follower/same',
      'jointEntered',
      'jointLeft',
      'partition',
      'pause',
      'promoted',
      'rumour',
      'slowDisk',
      'transfer',
      'transfersCompleted',
    ],
  },
  {
    profile: 'cores',
    within: 1_000,
    marks: [
      'advances',
      'got.append-request@pre-candidate/newer',
      'got.append-response@leader/older',
      'got.heartbeat-request@candidate/same',
      'got.heartbeat-request@pre-candidate/older',
      'got.propose-request@follower/older',
      'got.read-request@leader/older',
      'got.read-response@follower/older',
      'got.snapshot-request@follower/older',
      'got.vote-request@follower/older',
      'got.vote-request@leader/same',
      'got.vote-request@pre-candidate/same',
      'got.vote-response@candidate/older',
      'removed',
    ],
  },
];

/** All of them. @since 0.1.0 */
export const declaredMarkSets: readonly DeclaredMarks[] = [...storeMarks, ...coreMarks];

/**
 * Marks that runs of a kind of profile can reach, each once: on whole stores, or on bare cores.
 *
 * @param profile - one of `simProfiles`, or one's own
 * @since 0.1.0
 */
export function declaredMarks(profile: SimProfile): readonly string[] {
  const sets = profile.draw(0).cores === undefined ? storeMarks : coreMarks;
  return [...new Set(sets.flatMap(({ marks }) => marks))];
}
