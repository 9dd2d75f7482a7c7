/**
 * Names and addresses of the members, at one position of the log: a function of the changes up to
 * there, the same on every member. It is kept beside the configuration, as its context (ADR 0018).
 */
import { limits } from '../base/limits.js';
import {
  decodeMemberList,
  encodeMemberList,
  type MemberInfo,
  type MemberList,
} from '../codec/member-codec.js';
import { type ConfState, canonical, memberIds } from '../raft/configuration.js';
import type { MemberId } from '../raft/types.js';

/** @since 0.1.0 */
export class MemberDirectory implements MemberList {
  readonly members: readonly MemberInfo[];
  readonly removed: readonly MemberId[];

  private constructor({ members, removed }: MemberList) {
    this.members = members;
    this.removed = removed;
  }

  /**
   * Reads what is kept beside a configuration. Members that nothing is known of, as in a group that
   * was put together by hand, are named by their id.
   *
   * @throws {KontikiError} FRAME_INVALID, FORMAT_UNSUPPORTED
   */
  static of(state: ConfState): MemberDirectory {
    const known = state.context === undefined ? nobody : decodeMemberList(state.context);
    return new MemberDirectory(known).after(state, undefined);
  }

  /** Before any change. @param founders - the members a group is started with */
  static ofFounders(founders: readonly MemberInfo[]): MemberDirectory {
    return new MemberDirectory({ members: [...founders].sort(byId), removed: [] });
  }

  get(id: MemberId): MemberInfo | undefined {
    return this.members.find((member) => member.id === id);
  }

  named(name: string): MemberInfo | undefined {
    return this.members.find((member) => member.name === name);
  }

  /** Address of every member, `undefined` where it is not known. */
  get addresses(): ReadonlyMap<MemberId, string | undefined> {
    return new Map(this.members.map(({ id, address }) => [id, address || undefined]));
  }

  /**
   * The directory behind a change.
   *
   * @param state - the configuration that it led to
   * @param news - context of the change
   * @throws {KontikiError} FRAME_INVALID, FORMAT_UNSUPPORTED
   */
  after(state: ConfState, news: Uint8Array | undefined): MemberDirectory {
    const told = news === undefined || news.length === 0 ? nobody : decodeMemberList(news);
    const known = new Map([...this.members, ...told.members].map((info) => [info.id, info]));
    const configuration = canonical(state);
    const learners = new Set(configuration.learners);
    const members = memberIds(configuration).map((id): MemberInfo => {
      const info = known.get(id) ?? { id, name: String(id), address: '', promote: false };
      const isLearner = learners.has(id);
      return info.promote && !isLearner ? { ...info, promote: false } : info;
    });
    const ids = new Set(members.map(({ id }) => id));
    const gone = this.members.filter(({ id }) => !ids.has(id)).map(({ id }) => id);
    const removed = [...this.removed, ...gone].slice(-limits.removedMembersMax);
    return new MemberDirectory({ members, removed });
  }

  /** To be kept beside the configuration. */
  encode(): Uint8Array {
    return encodeMemberList(this);
  }
}

const nobody: MemberList = { members: [], removed: [] };

function byId(a: MemberInfo, b: MemberInfo): number {
  return a.id - b.id;
}
