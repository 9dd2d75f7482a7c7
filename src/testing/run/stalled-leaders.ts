/**
 * V6: a leader whose log does not come on, while the logs of a majority of the others do, does not stay
 * the leader. Whoever leads with such a log answers nothing that a healthy leader could not answer sooner.
 *
 * Who is away is not there to step down: only time in which it does something counts.
 */
import type { RawNode } from '../../raft/raw-node.js';
import type { RaftStatus } from '../../raft/status.js';
import type { DriverRule, DriverRuleParts } from '../driver-rule.js';
import type { SimMachine } from '../sim-machine.js';

/** Election timeouts that a write takes before anybody looks, and that the leader then has to go. */
const stalledElections = 2.5;
const leavingElections = 2;

/** @since 0.1.0 */
export class StalledLeaders implements DriverRule {
  readonly #parts: DriverRuleParts;

  constructor(parts: DriverRuleParts) {
    this.#parts = parts;
  }

  observe(machine: SimMachine): void {
    const { observer } = machine;
    /** When the writes began that are not durable, in order. */
    let writing: number[] = [];
    /** Since when it is to go, and when it was seen last. */
    let sinceUs: number | undefined;
    let seenUs = 0;
    const look = (raft: RawNode): void => {
      const nowUs = this.#parts.nowUs();
      const wasAway = nowUs - seenUs > this.#parts.electionUs / 2;
      seenUs = nowUs;
      const isStalled = nowUs - (writing[0] ?? nowUs) > stalledElections * this.#parts.electionUs;
      if (wasAway || !isStalled || !isBehind(raft)) sinceUs = undefined;
      else sinceUs ??= nowUs;
      if (nowUs - (sinceUs ?? nowUs) <= leavingElections * this.#parts.electionUs) return;
      const stalledMs = Math.round((nowUs - (writing[0] as number)) / 1_000);
      const message = `${machine.name} leads with a write that takes ${stalledMs} ms so far`;
      this.#parts.violated('V6', message);
    };
    machine.observer = {
      ...observer,
      opened: (node) => {
        writing = [];
        sinceUs = undefined;
        observer.opened(node);
      },
      writing: (append) => {
        writing.push(this.#parts.nowUs());
        observer.writing(append);
      },
      written: (append) => {
        writing.shift();
        sinceUs = undefined;
        observer.written(append);
      },
      stepped: (raft) => {
        look(raft);
        observer.stepped(raft);
      },
    };
  }
}

/** A leader whose log lacks what those of a majority have durably: at least one of them answers it. */
function isBehind(raft: RawNode): boolean {
  if (raft.role !== 'leader') return false;
  const status = raft.status();
  return isAheadOf(status, status.voters) && isAheadOf(status, status.configuration.votersOutgoing);
}

function isAheadOf({ durableIndex, id, progress }: RaftStatus, voters: readonly number[]): boolean {
  const ahead = progress.filter((each) => {
    return each.id !== id && voters.includes(each.id) && each.match > durableIndex;
  });
  return voters.length === 0 || ahead.length > voters.length / 2;
}
