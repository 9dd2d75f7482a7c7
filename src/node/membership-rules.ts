/**
 * Which changes of the membership a leader makes, and which it turns down: those that make no sense,
 * and those after which the group might have no quorum (specs: etcd-parity §5.1). Pure: what is asked
 * for and what the leader knows in, what to do out.
 */
import { limits } from '../base/limits.js';
import { hash53 } from '../base/name-hash.js';
import { encodeMemberList, type MemberInfo } from '../codec/member-codec.js';
import type { MembershipAnswer, MembershipRequest } from '../codec/membership-codec.js';
import type { ConfChangeSingle, ConfChangeV2 } from '../raft/conf-change.js';
import { type Configuration, isJoint, isVoter } from '../raft/configuration.js';
import { majority } from '../raft/quorum.js';
import type { MemberId } from '../raft/types.js';
import type { MemberDirectory } from './member-directory.js';

/** What a leader knows. @since 0.1.0 */
export interface MembershipFacts {
  readonly self: MemberId;
  readonly clusterId: number;
  readonly configuration: Configuration;
  readonly directory: MemberDirectory;
  /** Index that a change proposed now will have. */
  readonly nextIndex: number;
  /** Answered lately. This member does. */
  isActive(id: MemberId): boolean;
  /** Has nearly all of the log. */
  isCaughtUp(id: MemberId): boolean;
}

/** What to do about a request. @since 0.1.0 */
export type MembershipPlan =
  | MembershipAnswer
  | { readonly status: 'propose'; readonly change: ConfChangeV2 }
  /** Another member has to lead. */
  | { readonly status: 'transfer'; readonly to: MemberId }
  /** This member is to go: another one has to lead first. */
  | { readonly status: 'leave' };

type Refused = MembershipAnswer & { readonly status: 'refused' };

/**
 * @param isRetry - it was asked before: what is so already was done by it
 * @since 0.1.0
 */
export function planMembership(
  request: MembershipRequest,
  facts: MembershipFacts,
  isRetry: boolean,
): MembershipPlan {
  // Nobody can take its own place: it would be made a voter, and never be gone.
  if (request.kind === 'replace' && request.by === request.id) return unknown(request.by);
  const joint = isJoint(facts.configuration);
  const done = goalOf(request, facts);
  const isRepeatable = request.kind === 'update' || request.kind === 'transfer';
  if (done !== undefined && !joint && (isRetry || isRepeatable))
    return { status: 'done', id: done };
  if (request.kind === 'transfer') return planTransfer(request.id, facts);
  // Only one change at a time: this one ends by itself.
  if (joint) return { status: 'again' };
  // Asked again, a replacement may find its first half made: see changesOf.
  const isHalfMade =
    isRetry && request.kind === 'replace' && isVoter(facts.configuration, request.by);
  const refusal = refusalOf(isHalfMade ? { ...request, kind: 'remove' } : request, facts);
  return refusal ?? planChange(request, facts);
}

/** The member that a request is about, when what it asks for is so. */
function goalOf(request: MembershipRequest, facts: MembershipFacts): MemberId | undefined {
  const { address, by, id, kind, name } = request;
  const { configuration, directory, self } = facts;
  const isGone = directory.get(id) === undefined;
  switch (kind) {
    case 'add': {
      const found = directory.named(name);
      return found?.address === address ? found.id : undefined;
    }
    case 'remove':
      return isGone ? id : undefined;
    case 'promote':
      return isVoter(configuration, id) ? id : undefined;
    case 'update':
      return directory.get(id)?.address === address ? id : undefined;
    case 'replace':
      return isGone && isVoter(configuration, by) ? by : undefined;
    case 'transfer':
      return id === self ? id : undefined;
  }
}

function planTransfer(to: MemberId, facts: MembershipFacts): MembershipPlan {
  const { configuration, directory } = facts;
  if (directory.get(to) === undefined) return unknown(to);
  if (!isVoter(configuration, to)) {
    return refused('LEARNER_NOT_READY', `member ${to} is a learner, which cannot lead`);
  }
  // While one that is behind catches up, nothing could be written.
  const isReady = facts.isActive(to) && facts.isCaughtUp(to);
  return isReady ? { status: 'transfer', to } : { status: 'again' };
}

/** Why a change makes no sense, whatever the others are doing. */
function refusalOf(request: MembershipRequest, facts: MembershipFacts): Refused | undefined {
  const { by, id, kind } = request;
  const { configuration, directory } = facts;
  if (kind === 'add') return refusalOfAdd(request, facts);
  if (directory.get(id) === undefined) return unknown(id);
  const learner = kind === 'replace' ? by : id;
  switch (kind) {
    case 'update':
      return refusalOfText(request, facts);
    case 'replace':
    case 'promote':
      if (directory.get(learner) === undefined) return unknown(learner);
      if (isVoter(configuration, learner)) {
        return refused('MEMBER_NOT_LEARNER', `member ${learner} is a voter already`);
      }
      if (facts.isActive(learner) && facts.isCaughtUp(learner)) return undefined;
      return refused('LEARNER_NOT_READY', `member ${learner} has not caught up with the leader`);
    default:
      return undefined;
  }
}

function refusalOfAdd(request: MembershipRequest, facts: MembershipFacts): Refused | undefined {
  const { members } = facts.directory;
  const lonely = members.find((member) => member.address === '');
  if (lonely !== undefined) {
    const message = `member ${lonely.name} has no dir, or no address where others could reach it`;
    return refused('DIR_REQUIRED', message);
  }
  if (members.length >= limits.membersMax) {
    return refused('TOO_MANY_MEMBERS', `the group has ${members.length} members`);
  }
  if (facts.directory.named(request.name) !== undefined) {
    return refused('MEMBER_EXISTS', `there is a member named ${request.name}`);
  }
  return refusalOfText(request, facts);
}

/** Two members at one address would be taken for each other. */
function refusalOfText({ address, id }: MembershipRequest, { directory }: MembershipFacts) {
  const other = directory.members.find((member) => member.address === address && member.id !== id);
  if (other === undefined) return undefined;
  return refused('MEMBER_EXISTS', `member ${other.name} has the address ${address}`);
}

function planChange(request: MembershipRequest, facts: MembershipFacts): MembershipPlan {
  const { changes, news } = changesOf(request, facts);
  const risk = quorumRisk(changes, facts);
  if (risk !== undefined) return risk;
  const isLeaving = changes.some(({ type, memberId }) => {
    return type === 'remove' && memberId === facts.self;
  });
  if (isLeaving) return { status: 'leave' };
  const context = news && encodeMemberList({ members: [news], removed: [] });
  return { status: 'propose', change: { transition: 'auto', changes, context } };
}

interface Changes {
  readonly changes: readonly ConfChangeSingle[];
  readonly news?: MemberInfo | undefined;
}

function changesOf(request: MembershipRequest, facts: MembershipFacts): Changes {
  const { address, by, kind, name, promote, voter } = request;
  let { id } = request;
  switch (kind) {
    case 'add': {
      id = newMemberId(name, facts);
      // A second voter is needed for every quorum: the leader would lose it before that one is there,
      // and then nobody could say whether its directory is new or wiped. So it comes as a learner.
      const atOnce = voter && facts.configuration.voters.length > 1;
      const news = { id, name, address, promote: (promote || voter) && !atOnce };
      return { changes: [{ type: atOnce ? 'add-voter' : 'add-learner', memberId: id }], news };
    }
    case 'update': {
      const news = { ...(facts.directory.get(id) as MemberInfo), address };
      return { changes: [{ type: 'update', memberId: id }], news };
    }
    case 'promote':
      return { changes: [{ type: 'add-voter', memberId: id }] };
    case 'replace': {
      const [gone, voting] = [
        { type: 'remove', memberId: id },
        { type: 'add-voter', memberId: by },
      ] as const;
      // Somebody has to lead when it goes: a lone voter is joined first, and goes when asked again.
      const { voters } = facts.configuration;
      const isLone = voters.length === 1 && voters[0] === id;
      return { changes: isLone ? [voting] : [gone, voting] };
    }
    default:
      return { changes: [{ type: 'remove', memberId: id }] };
  }
}

/** Salted with the index of the entry, of which there is one: no id comes twice (DESIGN §4.17). */
function newMemberId(name: string, { clusterId, nextIndex }: MembershipFacts): MemberId {
  return hash53(['added', String(clusterId), String(nextIndex), name]);
}

/** Whether those that answer now would be too few. A voter that was just added does not. */
function quorumRisk(
  changes: readonly ConfChangeSingle[],
  { configuration, isActive, self }: MembershipFacts,
): Refused | undefined {
  const voters = new Set(configuration.voters);
  for (const { type, memberId } of changes) {
    if (type === 'add-voter') voters.add(memberId);
    if (type === 'remove') voters.delete(memberId);
  }
  const { length } = configuration.voters;
  const isSame = voters.size === length && configuration.voters.every((id) => voters.has(id));
  if (isSame) return undefined;
  const active = [...voters].filter((id) => id === self || isActive(id)).length;
  const needed = majority(voters.size);
  if (voters.size > 0 && active >= needed) return undefined;
  const message = `of ${voters.size} voters that there would be ${active} answer, ${needed} have to`;
  return refused('QUORUM_AT_RISK', message);
}

function unknown(id: MemberId): Refused {
  return refused('MEMBER_UNKNOWN', `there is no member ${id}`);
}

function refused(code: Refused['code'], message: string): Refused {
  return { status: 'refused', code, message };
}
