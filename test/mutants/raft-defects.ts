/**
 * One-rule defects of the Raft core. Each breaks something that the paper, the thesis or an incident
 * of another implementation asks for (semantics §21; the survivors of raft-conformance §8 are among
 * them), and some test has to notice.
 */
import type { Defect } from './defect.js';
import { append } from './raft/append.js';
import { boundary } from './raft/boundary.js';
import { commit } from './raft/commit.js';
import { elections } from './raft/elections.js';
import { flow } from './raft/flow.js';
import { lease } from './raft/lease.js';
import { membership } from './raft/membership.js';
import { reads } from './raft/reads.js';
import { snapshots } from './raft/snapshots.js';
import { storage } from './raft/storage.js';
import { transfer } from './raft/transfer.js';

/** All of them. */
export const raftDefects: readonly Defect[] = [
  ...commit,
  ...append,
  ...elections,
  ...lease,
  ...transfer,
  ...snapshots,
  ...flow,
  ...storage,
  ...membership,
  ...reads,
  ...boundary,
];
