/**
 * Tells why TLS did not come about: the platform's codes as ours.
 */
import { checkServerIdentity, type TLSSocket } from 'node:tls';
import { type KontikiError, kontikiError, type TlsRefusal } from '../../base/errors.js';
import type { MemberId } from '../../raft/types.js';

const reasons: Readonly<Record<string, TlsRefusal>> = {
  CERT_HAS_EXPIRED: 'expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'unknown-issuer',
  ERR_SSL_HTTP_REQUEST: 'plaintext',
  ERR_SSL_WRONG_VERSION_NUMBER: 'plaintext',
  ERR_TLS_CERT_ALTNAME_INVALID: 'wrong-name',
  SELF_SIGNED_CERT_IN_CHAIN: 'unknown-issuer',
  UNABLE_TO_GET_ISSUER_CERT: 'unknown-issuer',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'unknown-issuer',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'unknown-issuer',
};

/**
 * What an error of a socket says about TLS; `undefined` when it is one of the connection below.
 *
 * @since 0.1.0
 */
export function tlsRefusalOf(error: Error | undefined): KontikiError | undefined {
  if (error === undefined || 'syscall' in error) return undefined;
  // Of a host with several addresses, none of which could be connected to.
  if (error instanceof AggregateError) return undefined;
  const { code } = error as { readonly code?: unknown };
  if (typeof code !== 'string' || code === 'ECONNRESET') return undefined;
  return refused(reasons[code] ?? 'handshake', code, error);
}

/**
 * What is wrong with the certificate of a member that connected; `undefined` for nothing. It must be
 * good for the host of the member's address: a certificate of another host proves nothing about this
 * member.
 *
 * @param member - as which it presents itself
 * @param host - where that member is to be found; `undefined` when nobody knows
 * @since 0.1.0
 */
export function certificateRefusal(
  socket: TLSSocket,
  member: MemberId,
  host: string | undefined,
): KontikiError | undefined {
  const refusal = chainRefusal(socket, `member ${member}`);
  if (refusal !== undefined) return refusal;
  if (host === undefined) {
    return refused('wrong-name', `no address of member ${member} is known to hold it to`);
  }
  const error = checkServerIdentity(host, socket.getPeerCertificate());
  return error && refused('wrong-name', `member ${member}: ${error.message}`, error);
}

/**
 * What is wrong with a certificate, whoever's it is; `undefined` when one of our authorities signed it,
 * and it is in force.
 *
 * @param who - as which the other side presents itself
 * @since 0.1.0
 */
export function chainRefusal(socket: TLSSocket, who: string): KontikiError | undefined {
  if (socket.getPeerCertificate()?.raw === undefined) {
    return refused('no-certificate', `${who} shows no certificate`);
  }
  if (socket.authorized) return undefined;
  const code = String(socket.authorizationError);
  return refused(reasons[code] ?? 'handshake', `the certificate of ${who}: ${code}`);
}

/** One side speaks TLS and the other does not. @since 0.1.0 */
export function tlsUnexpected(): KontikiError {
  return refused('tls', 'the peer speaks TLS, this member does not');
}

function refused(reason: TlsRefusal, message: string, cause?: Error): KontikiError {
  return kontikiError('TLS_REFUSED', message, { reason, cause });
}
