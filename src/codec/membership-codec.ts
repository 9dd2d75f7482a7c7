/**
 * What members ask the leader about the membership, and what one that is about to join, or that nobody
 * can answer otherwise, asks anybody: as bytes, a version byte, then one flat array.
 *
 *     change  [0, isRetry, kind, id, by, voter, promote, name, address]  ->  [status, id | code, message]
 *     vouch   [1, cluster, member, directory id, probe, life?]           ->  the same
 *             life is number, term, last entry, token *
 *     relayed [2, ...as vouch]                                           ->  the same
 *     join    [token, name]           ->  [0, cluster, member, count, founder * count, member *]
 *                                     or  [1, code, message]
 */
import { utf8Bytes } from '../base/bytes.js';
import { kontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import { isMemberText } from '../base/member-text.js';
import { splitAddress } from '../base/split-address.js';
import type { MemberId } from '../raft/types.js';
import { FlatReader, invalidField } from './flat-reader.js';
import { type MemberInfo, pushMember, readMembers, readText } from './member-codec.js';
import { packKept, type Scalar, unpackFlat } from './packr.js';

const version = 1;
const elementsMax = 4_096;

/** Place in the list is the number on the wire: only ever append. */
const questionKinds = ['change', 'vouch', 'relayed'] as const;
const changeKinds = ['add', 'remove', 'promote', 'update', 'replace', 'transfer'] as const;
const statuses = ['done', 'under-way', 'again', 'refused'] as const;
const refusalCodes = [
  'CLUSTER_MISMATCH',
  'DIR_REQUIRED',
  'LEARNER_NOT_READY',
  'MEMBER_EXISTS',
  'MEMBER_IDENTITY_CHANGED',
  'MEMBER_NOT_LEARNER',
  'MEMBER_REMOVED',
  'MEMBER_UNKNOWN',
  'NO_SPACE',
  'QUORUM_AT_RISK',
  'TOO_MANY_MEMBERS',
  'MEMBER_ROLLED_BACK',
] as const;

/** Why a change of the membership, or a newcomer, is turned down. @since 0.1.0 */
export type MembershipRefusal = (typeof refusalCodes)[number];

/** A change that is asked for. Fields that its kind has no use for are 0, empty and false. @since 0.1.0 */
export interface MembershipRequest {
  readonly kind: (typeof changeKinds)[number];
  /** The member that it is about; 0 for one to be added. */
  readonly id: MemberId;
  /** The learner that takes its place. */
  readonly by: MemberId;
  readonly name: string;
  readonly address: string;
  /** Add as a voter at once. */
  readonly voter: boolean;
  /** Promote once it has caught up. */
  readonly promote: boolean;
}

/** Of a peer's data directory; see `DirectoryLife`. @since 0.1.0 */
export interface PeerLife {
  readonly number: number;
  readonly tokens: readonly number[];
  readonly term: number;
  readonly lastIndex: number;
}

/** @since 0.1.0 */
export type MembershipQuestion = ChangeQuestion | VouchQuestion;

/** @since 0.1.0 */
export interface ChangeQuestion {
  readonly kind: 'change';
  readonly request: MembershipRequest;
  /** It was asked before, so it may be done already. */
  readonly isRetry: boolean;
}

/** Whether a peer may come in. @since 0.1.0 */
export interface VouchQuestion {
  readonly kind: 'vouch';
  readonly peer: {
    readonly clusterId: number;
    readonly memberId: MemberId;
    readonly dirId: string;
    readonly life?: PeerLife | undefined;
  };
  readonly probe: boolean;
  /** Asked on behalf of a member that does not know who leads; goes no further. */
  readonly isRelayed?: true;
}

/** @since 0.1.0 */
export type MembershipAnswer =
  /** What was asked for is so; `id` is the member's. */
  | { readonly status: 'done'; readonly id: MemberId }
  /** `under-way`: something was done about it, ask again. `again`: not now. */
  | { readonly status: 'under-way' | 'again' }
  | {
      readonly status: 'refused';
      readonly code: MembershipRefusal;
      readonly message: string;
    };

/** @since 0.1.0 */
export function encodeMembershipQuestion(question: MembershipQuestion): Uint8Array {
  if (question.kind === 'vouch') {
    const { clusterId, memberId, dirId, life } = question.peer;
    const kind = questionKinds.indexOf(question.isRelayed === true ? 'relayed' : 'vouch');
    const values: Scalar[] = [kind, clusterId, memberId, utf8Bytes(dirId), question.probe];
    if (life !== undefined) values.push(life.number, life.term, life.lastIndex, ...life.tokens);
    return packKept(values, version);
  }
  const { kind, id, by, name, address, voter, promote } = question.request;
  const texts = [utf8Bytes(name), utf8Bytes(address)];
  const numbers = [0, question.isRetry, changeKinds.indexOf(kind), id, by, voter, promote];
  return packKept([...numbers, ...texts], version);
}

/**
 * @throws {KontikiError} FRAME_INVALID, FORMAT_UNSUPPORTED
 * @since 0.1.0
 */
export function decodeMembershipQuestion(bytes: Uint8Array): MembershipQuestion {
  return readMembershipQuestion(unpackFlat(bytes, version, elementsMax));
}

function readMembershipQuestion(values: readonly Scalar[]): MembershipQuestion {
  const reader = new FlatReader(values);
  const asked = reader.oneOf('question', questionKinds);
  if (asked !== 'change') {
    const peer = {
      clusterId: reader.integer('clusterId'),
      memberId: reader.integer('memberId', 1),
      dirId: readText('dirId', reader),
    };
    const probe = reader.boolean('probe');
    const life = reader.left === 0 ? undefined : readLife(reader);
    reader.end();
    const vouch = { kind: 'vouch', peer: { ...peer, ...(life && { life }) }, probe } as const;
    return asked === 'relayed' ? { ...vouch, isRelayed: true } : vouch;
  }
  const isRetry = reader.boolean('isRetry');
  const request = {
    kind: reader.oneOf('kind', changeKinds),
    id: reader.integer('id'),
    by: reader.integer('by'),
    voter: reader.boolean('voter'),
    promote: reader.boolean('promote'),
    name: readText('name', reader),
    address: readText('address', reader),
  };
  reader.end();
  checkTexts(request);
  return { kind: 'change', isRetry, request };
}

/** They are kept by all members for good, and dialled: whoever asks may not have checked them. */
function checkTexts({ address, kind, name }: MembershipRequest): void {
  const isNamed = kind !== 'add' || isMemberText(name);
  const isPlaced = (kind !== 'add' && kind !== 'update') || isAddress(address);
  if (isNamed && isPlaced) return;
  throw kontikiError('FRAME_INVALID', `a member can not have this name and address: ${kind}`);
}

function readLife(reader: FlatReader): PeerLife {
  const number = reader.integer('life', 1);
  const term = reader.integer('term');
  const lastIndex = reader.integer('lastIndex');
  const tokens: number[] = [];
  while (reader.left > 0) tokens.push(reader.integer('token'));
  return { number, tokens, term, lastIndex };
}

/** @since 0.1.0 */
export function encodeMembershipAnswer(answer: MembershipAnswer): Uint8Array {
  const values: Scalar[] = [statuses.indexOf(answer.status)];
  if (answer.status === 'done') values.push(answer.id);
  if (answer.status === 'refused') pushRefusal(values, answer);
  return packKept(values, version);
}

/**
 * @throws {KontikiError} FRAME_INVALID, FORMAT_UNSUPPORTED
 * @since 0.1.0
 */
export function decodeMembershipAnswer(bytes: Uint8Array): MembershipAnswer {
  const reader = new FlatReader(unpackFlat(bytes, version, elementsMax));
  const status = reader.oneOf('status', statuses);
  if (status === 'done') return { status, id: reader.integer('id') };
  if (status === 'refused') return { status, ...readRefusal(reader) };
  return { status };
}

/** What a member that is about to join asks. @since 0.1.0 */
export interface JoinQuestion {
  /** Tells groups apart; see `StoreOptions.token`. */
  readonly token: string;
  readonly name: string;
}

/** What anybody may ask a member: to join, or for its word on a peer. @since 0.1.0 */
export type Inquiry = ({ readonly kind: 'join' } & JoinQuestion) | VouchQuestion;

/** @since 0.1.0 */
export type JoinAnswer =
  | {
      readonly kind: 'member';
      readonly clusterId: number;
      readonly memberId: MemberId;
      /** The members the group was started with, as they were then. */
      readonly founders: readonly MemberInfo[];
      /** Those it has now. */
      readonly members: readonly MemberInfo[];
    }
  | { readonly kind: 'refused'; readonly code: MembershipRefusal; readonly message: string };

/** @since 0.1.0 */
export function encodeJoinQuestion({ token, name }: JoinQuestion): Uint8Array {
  return packKept([utf8Bytes(token), utf8Bytes(name)], version);
}

/**
 * @throws {KontikiError} FRAME_INVALID, FORMAT_UNSUPPORTED
 * @since 0.1.0
 */
export function decodeInquiry(bytes: Uint8Array): Inquiry {
  const values = unpackFlat(bytes, version, elementsMax);
  if (typeof values[0] === 'number') {
    const question = readMembershipQuestion(values);
    if (question.kind === 'vouch') return question;
    throw invalidField('inquiry', values[0]);
  }
  const reader = new FlatReader(values);
  const question = { token: readText('token', reader), name: readText('name', reader) };
  reader.end();
  return { kind: 'join', ...question };
}

/** @since 0.1.0 */
export function encodeJoinAnswer(answer: JoinAnswer): Uint8Array {
  const values: Scalar[] = [answer.kind === 'member' ? 0 : 1];
  if (answer.kind === 'refused') pushRefusal(values, answer);
  else {
    const { clusterId, founders, memberId, members } = answer;
    values.push(clusterId, memberId, founders.length);
    for (const member of [...founders, ...members]) pushMember(values, member);
  }
  return packKept(values, version);
}

/**
 * All of it is checked: who listens at the address that was asked may be anybody, and what it says is
 * kept for good, and dialled.
 *
 * @throws {KontikiError} FRAME_INVALID, FORMAT_UNSUPPORTED
 * @since 0.1.0
 */
export function decodeJoinAnswer(bytes: Uint8Array): JoinAnswer {
  const reader = new FlatReader(unpackFlat(bytes, version, elementsMax));
  const kind = reader.oneOf('kind', ['member', 'refused'] as const);
  if (kind === 'refused') return { kind, ...readRefusal(reader) };
  const clusterId = reader.integer('clusterId', 1);
  const memberId = reader.integer('memberId', 1);
  const count = reader.integer('count', 1);
  const all = readMembers(reader);
  const [founders, members] = [all.slice(0, count), all.slice(count)];
  checkGroup('founders', founders);
  checkGroup('members', members);
  if (!members.some(({ id }) => id === memberId)) throw invalidField('memberId', memberId);
  return { kind, clusterId, memberId, founders, members };
}

/** As those of a group are that was made by its options, and by changes of its membership. */
function checkGroup(what: string, members: readonly MemberInfo[]): void {
  const { length } = members;
  if (length === 0 || length > limits.membersMax) throw invalidField(what, length);
  for (const field of ['id', 'name'] as const) {
    if (new Set(members.map((member) => member[field])).size === length) continue;
    throw kontikiError('FRAME_INVALID', `two of the ${what} have one ${field}`);
  }
  const wrong = members.find(({ address, name }) => {
    return !isMemberText(name) || !(address === '' || isAddress(address));
  });
  if (wrong === undefined) return;
  throw kontikiError('FRAME_INVALID', `member ${wrong.id} can not have this name and address`);
}

function isAddress(text: string): boolean {
  return isMemberText(text) && splitAddress(text) !== undefined;
}

interface Refusal {
  readonly code: MembershipRefusal;
  readonly message: string;
}

function pushRefusal(values: Scalar[], { code, message }: Refusal): void {
  values.push(refusalCodes.indexOf(code), utf8Bytes(message));
}

function readRefusal(reader: FlatReader): Refusal {
  return { code: reader.oneOf('code', refusalCodes), message: readText('message', reader) };
}
