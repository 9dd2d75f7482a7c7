/**
 * What a node reports, with names in place of ids, for whoever embeds a member.
 */
import type { KontikiError } from '../base/errors.js';
import type { MemberId, Role } from '../raft/types.js';
import type { NodeEvents } from './events.js';
import type { Node } from './node.js';

/** Facts about one member. Nothing depends on anyone listening. @since 0.1.0 */
export interface MemberEvents {
  /** A leader became known; `leader` is its name, `undefined` when none is known any more. */
  leader: [event: { readonly term: number; readonly leader: string | undefined }];
  /** The own role changed. */
  role: [event: { readonly term: number; readonly role: Role }];
  /** The outgoing connection to a member stands or fell. */
  peer: [event: { readonly member: string; readonly connected: boolean }];
  /** A member refused this one's handshake; it is tried again. */
  refused: [event: { readonly member: string; readonly error: KontikiError }];
  /**
   * A connection was refused or closed for what came on it, or a certificate cannot be used. `address`
   * is that of the other end, `member` what it presents itself as, each if known.
   */
  incident: [
    event: {
      readonly error: KontikiError;
      readonly address: string | undefined;
      readonly member: string | undefined;
    },
  ];
  /** The members, or what is known of them, are others than before. */
  members: NodeEvents['members'];
  /**
   * What became of a snapshot: `sent` to `member`, which has all of it; `failed` on its way there, to
   * be tried again, or not even made here, for `error`, without `member`; `installed` here, in place of
   * everything up to `index`.
   */
  snapshot: [
    event: {
      readonly kind: NodeEvents['snapshot'][0]['kind'];
      readonly index: number;
      readonly member: string | undefined;
      readonly error?: KontikiError | undefined;
    },
  ];
  /** Log or state ran out of disk space, and wait for some; or found some again. */
  space: [event: { readonly hasSpace: boolean }];
  /** This member stood still: its event loop, its log, or its state machine. */
  stall: NodeEvents['stall'];
  /** This member stopped for good; every further call rejects with `error`. */
  failed: [event: { readonly error: KontikiError }];
}

/**
 * Passes a node's events on.
 *
 * @param node - reports them
 * @param names - name of every member by id
 * @param emit - takes them
 * @since 0.1.0
 */
export function relayEvents(
  node: Node,
  names: ReadonlyMap<MemberId, string>,
  emit: <E extends keyof MemberEvents>(event: E, fact: MemberEvents[E][0]) => void,
): void {
  const nameOf = (id: MemberId): string => names.get(id) ?? String(id);
  const knownName = (id: MemberId | undefined) => (id === undefined ? undefined : nameOf(id));
  node.on('leader', ({ term, leaderId }) => {
    emit('leader', { term, leader: knownName(leaderId) });
  });
  node.on('role', (fact) => emit('role', fact));
  node.on('peer', ({ memberId, connected }) => {
    emit('peer', { member: nameOf(memberId), connected });
  });
  node.on('refused', ({ memberId, error }) => emit('refused', { member: nameOf(memberId), error }));
  node.on('incident', ({ error, address, memberId }) => {
    emit('incident', { error, address, member: knownName(memberId) });
  });
  node.on('members', (fact) => emit('members', fact));
  node.on('snapshot', ({ kind, index, memberId, error }) => {
    emit('snapshot', { kind, index, member: knownName(memberId), error });
  });
  node.on('space', (fact) => emit('space', fact));
  node.on('stall', (fact) => emit('stall', fact));
  node.on('failed', (fact) => emit('failed', fact));
}
