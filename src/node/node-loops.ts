/**
 * The parts of a node that work beside its turns: writes, applies and snapshots, each of which tells the
 * node when something is done.
 */
import type { Message } from '../raft/messages.js';
import type { RawNode } from '../raft/raw-node.js';
import type { AppliedEntries } from './applied-entries.js';
import { ApplyLoop } from './apply-loop.js';
import { Care, type CareParts } from './care.js';
import type { NodeEvents } from './events.js';
import type { NodeMembers } from './node-members.js';
import type { NodeOptions } from './node-options.js';
import { PersistLoop } from './persist-loop.js';
import { Snapshots } from './snapshots.js';
import type { NodeTelemetry } from './telemetry.js';

/** What the loops tell; parts that are made after them are asked for when they are needed. @since 0.1.0 */
export interface NodeLoopsHost extends Pick<CareParts, 'onSpace' | 'onStall'> {
  readonly raft: RawNode;
  readonly telemetry: NodeTelemetry;
  readonly members: () => NodeMembers;
  readonly applied: () => AppliedEntries;
  readonly onDurable: (responses: readonly Message[]) => void;
  readonly onFailed: (error: unknown) => void;
  readonly onSnapshot: (fact: NodeEvents['snapshot'][0]) => void;
  readonly wake: () => void;
}

/** @since 0.1.0 */
export interface NodeLoops {
  readonly persist: PersistLoop;
  readonly apply: ApplyLoop;
  readonly care: Care;
  /** Absent when the member can neither make nor take any. */
  readonly snapshots: Snapshots | undefined;
}

/** @since 0.1.0 */
export function nodeLoops(options: NodeOptions, host: NodeLoopsHost): NodeLoops {
  const { applied, members, onDurable, onFailed, onSnapshot, raft, telemetry, wake } = host;
  const persist: PersistLoop = new PersistLoop(options.log, {
    onWritten: (append) => telemetry.written(append),
    onDurable,
    install: (append) => telemetry.installing(async () => snapshots?.install(append)),
    onFailed,
  });
  const apply = new ApplyLoop(telemetry.watched(options.stateMachine), {
    beforeApply: (entries) => members().beforeApply(entries),
    // An observer is told all answers.
    ...(options.env.observer === undefined && { isAwaited: (id) => applied().isAwaited(id) }),
    onApplied: (batch, results) => {
      applied().take(batch, results);
      members().applied();
      wake();
    },
    onFailed,
  });
  const snapshots = Snapshots.of(options, raft, apply, {
    wake,
    onInstalled: (last, sent) => {
      applied().installed(last, sent);
      onSnapshot({ kind: 'installed', index: last.index });
    },
    configuration: () => members().state,
    onRestored: (configuration) => members().installed(configuration),
    onSent: onSnapshot,
  });
  const care = new Care(options, { ...host, persist, apply });
  return { persist, apply, care, snapshots };
}
