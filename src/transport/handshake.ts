/**
 * The rules of the handshake: who talks to whom. It keeps apart clusters, members and releases by
 * mistake of configuration; it proves nothing about the other side, which takes TLS.
 */
import { type KontikiError, kontikiError } from '../base/errors.js';
import type { MemberId } from '../raft/types.js';
import type { Answer } from './answer.js';
import type { Hello, Lane, VersionRange } from './hello.js';
import type { MemberIdentity } from './transport.js';

/** Versions of the peer protocol this release speaks. @since 0.1.0 */
export const protocolVersions: VersionRange = { min: 1, max: 1 };

/** The hello of `self` to `to`. @since 0.1.0 */
export function helloOf(
  self: MemberIdentity,
  to: MemberId,
  probe: boolean,
  lane: Lane = 'log',
): Hello {
  return { versions: protocolVersions, from: self, to, probe, lane };
}

/** The hello of one that is no member yet. @since 0.1.0 */
export function inquiryHello(inquiry: Uint8Array): Hello {
  const nobody = { clusterId: 0, memberId: 1, dirId: '0'.repeat(32) };
  return { versions: protocolVersions, from: nobody, to: 1, probe: true, lane: 'log', inquiry };
}

/** The answer that accepts `hello`. @since 0.1.0 */
export function acceptanceOf(hello: Hello, self: MemberIdentity): Answer {
  const version = Math.min(hello.versions.max, protocolVersions.max);
  return { kind: 'accepted', version, from: self };
}

/**
 * What is wrong with a hello, as far as `self` alone can tell; `undefined` for nothing. Whether the
 * peer is a member, and in the directory it always was, is for the owner to say (`admit`).
 *
 * @since 0.1.0
 */
export function checkHello(
  { versions, from, to }: Hello,
  self: MemberIdentity,
): KontikiError | undefined {
  if (versions.max < protocolVersions.min || versions.min > protocolVersions.max) {
    return kontikiError('FORMAT_UNSUPPORTED', `${spoken(self)}, ${spokenBy(versions, from)}`);
  }
  if (from.clusterId !== self.clusterId) {
    const clusters = `cluster ${self.clusterId}, the peer is of cluster ${from.clusterId}`;
    return kontikiError('CLUSTER_MISMATCH', `member ${self.memberId} is of ${clusters}`);
  }
  if (to !== self.memberId) {
    return kontikiError('MEMBER_UNKNOWN', `this is member ${self.memberId}, not member ${to}`);
  }
  if (from.memberId === self.memberId) {
    return kontikiError('MEMBER_UNKNOWN', `member ${to} does not connect to itself`);
  }
  return undefined;
}

/**
 * What is wrong with an acceptance; `undefined` for nothing.
 *
 * @param hello - what was sent
 * @since 0.1.0
 */
export function checkAcceptance(
  { version, from }: Answer & { kind: 'accepted' },
  hello: Hello,
): KontikiError | undefined {
  if (version < hello.versions.min || version > hello.versions.max) {
    return kontikiError('FORMAT_UNSUPPORTED', `member ${from.memberId} chose version ${version}`);
  }
  if (from.clusterId !== hello.from.clusterId) {
    return kontikiError('CLUSTER_MISMATCH', `member ${from.memberId} is of another cluster`);
  }
  if (from.memberId !== hello.to) {
    return kontikiError('MEMBER_UNKNOWN', `member ${from.memberId} answered for ${hello.to}`);
  }
  return undefined;
}

function spoken(self: MemberIdentity): string {
  return spokenBy(protocolVersions, self);
}

function spokenBy({ min, max }: VersionRange, { memberId }: MemberIdentity): string {
  return `member ${memberId} speaks versions ${min} to ${max}`;
}
