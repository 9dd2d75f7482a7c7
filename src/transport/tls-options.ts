/**
 * What mutual TLS between members needs. Each member shows a certificate and asks for one, as a client
 * and as a server; docs/guides/tls.md tells how to make them.
 */

/**
 * Each of them is PEM: the path of a file, which is read again when it changes, or the bytes
 * themselves.
 *
 * @since 0.1.0
 */
export interface TlsOptions {
  /** Certificates of the authorities that may have signed a member's, one after the other. */
  readonly ca: string | Uint8Array;
  /**
   * This member's certificate, and those between it and the authority. Its alternative names must
   * have the host of the address by which the other members know this one.
   */
  readonly cert: string | Uint8Array;
  /** The key of `cert`, not encrypted. */
  readonly key: string | Uint8Array;
}

/**
 * The same with bytes of its own: those given may be wiped, or used for something else, afterwards.
 *
 * @since 0.1.0
 */
export function ownTls({ ca, cert, key }: TlsOptions): TlsOptions {
  return { ca: own(ca), cert: own(cert), key: own(key) };
}

function own(source: string | Uint8Array): string | Uint8Array {
  return typeof source === 'string' ? source : Uint8Array.from(source);
}
