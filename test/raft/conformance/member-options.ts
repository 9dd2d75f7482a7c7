/** What `add-nodes` says about the members it adds, as options of the core and of the harness. */
import type { RaftOptions } from '../../../src/raft/index.js';
import { type Directive, valuesOf } from '../datadriven.js';

export const electionTicks = 3;
export const heartbeatTicks = 1;
/** Of a tick, for leases. */
export const tickMs = 100;

export interface MemberOptions {
  readonly raft: Omit<RaftOptions, 'id' | 'reader' | 'random'>;
  /** Reads by lease once it is set; 0 for none. */
  readonly leaseMs: number;
  /** What the member begins with; `undefined`: nothing at all. Numbers are the file's. */
  readonly bootstrap:
    | {
        readonly index: number;
        readonly voters: readonly number[];
        readonly learners: readonly number[];
        readonly content: string;
      }
    | undefined;
}

const known = new Set([
  'voters',
  'learners',
  'index',
  'content',
  'inflight',
  'async-storage-writes',
  'prevote',
  'checkquorum',
  'max-committed-size-per-ready',
  'disable-conf-change-validation',
  'read-only',
  'step-down-on-removal',
  // Ours.
  'max-size-per-msg',
  'max-inflight-bytes',
  'max-uncommitted-size',
  'disable-proposal-forwarding',
]);

/** Every option is given: the files assume etcd's defaults, not ours. */
export function memberOptions(directive: Directive): MemberOptions {
  const [, ...options] = directive.args;
  for (const { key } of options) {
    if (!known.has(key)) throw new Error(`add-nodes: expected a known option, got ${key}`);
  }
  const isLease = readOnly(directive);
  return {
    raft: {
      asyncStorageWrites: flag(directive, 'async-storage-writes'),
      electionTicks,
      heartbeatTicks,
      preVote: flag(directive, 'prevote'),
      checkQuorum: flag(directive, 'checkquorum'),
      proposalForwarding: !flag(directive, 'disable-proposal-forwarding'),
      stepDownOnRemoval: flag(directive, 'step-down-on-removal'),
      disableConfChangeValidation: flag(directive, 'disable-conf-change-validation'),
      appendBytesMax: count(directive, 'max-size-per-msg') ?? Infinity,
      inflightMessagesMax: count(directive, 'inflight') ?? 2 ** 31 - 1,
      inflightBytesMax: count(directive, 'max-inflight-bytes') ?? Infinity,
      uncommittedBytesMax: count(directive, 'max-uncommitted-size') ?? Infinity,
      applyBytesMax: count(directive, 'max-committed-size-per-ready') ?? Infinity,
    },
    // Less than the `electionTicks - 1` ticks for which the others keep their pledge.
    leaseMs: isLease ? (electionTicks - 1) * tickMs - 1 : 0,
    bootstrap: bootstrapOf(directive),
  };
}

function bootstrapOf(directive: Directive): MemberOptions['bootstrap'] {
  const voters = valuesOf(directive, 'voters');
  const learners = valuesOf(directive, 'learners');
  const index = count(directive, 'index');
  const content = valuesOf(directive, 'content')?.[0];
  if ([voters, learners, index, content].every((each) => each === undefined)) return undefined;
  return {
    index: index ?? 0,
    voters: (voters ?? []).map(Number),
    learners: (learners ?? []).map(Number),
    content: content ?? '',
  };
}

function readOnly(directive: Directive): boolean {
  const [value = 'safe'] = valuesOf(directive, 'read-only') ?? [];
  if (value !== 'safe' && value !== 'lease-based') throw new Error(`read-only=${value}`);
  return value === 'lease-based';
}

function flag(directive: Directive, key: string): boolean {
  const values = valuesOf(directive, key);
  if (values === undefined) return false;
  const [value = 'true'] = values;
  if (!/^(true|false|t|f|1|0)$/i.test(value)) throw new Error(`${key}=${value}`);
  return /^(true|t|1)$/i.test(value);
}

function count(directive: Directive, key: string): number | undefined {
  const value = valuesOf(directive, key)?.[0];
  if (value === undefined) return undefined;
  if (!/^\d+$/.test(value)) throw new Error(`${key}=${value}`);
  return Number(value);
}
