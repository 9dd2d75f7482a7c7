/**
 * One-rule defects all over the sources, for `npm run mutants -- --sim`: each row of etcd's incident
 * list (reliability §2) whose code exists, and what else must never be wrong (§4).
 */
import { care } from './sim/care.js';
import { copies } from './sim/copies.js';
import { driver } from './sim/driver.js';
import { keyspace } from './sim/keyspace.js';
import { leases } from './sim/leases.js';
import { locks } from './sim/locks.js';
import { log } from './sim/log.js';
import { members } from './sim/members.js';
import { reads } from './sim/reads.js';
import { sessions } from './sim/sessions.js';
import type { SimDefect } from './sim/sim-defect.js';
import { snapshots } from './sim/snapshots.js';
import { stalls } from './sim/stalls.js';
import { state } from './sim/state.js';
import { watches } from './sim/watches.js';

/** All of them. */
export const simDefects: readonly SimDefect[] = [
  ...log,
  ...state,
  ...snapshots,
  ...driver,
  ...copies,
  ...sessions,
  ...reads,
  ...keyspace,
  ...leases,
  ...watches,
  ...locks,
  ...members,
  ...care,
  ...stalls,
];
