/** Certificates made at run time, so that no key lies in the repository and none runs out. */
import { webcrypto } from 'node:crypto';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const dayMs = 86_400_000;

/** A certificate and its key, both PEM. */
export interface Pair {
  readonly cert: Uint8Array;
  readonly key: Uint8Array;
}

export interface LeafOptions {
  /** IP addresses and host names it is good for; default the loopback address. */
  readonly names?: readonly string[];
  /** Default `CN=member`. */
  readonly subject?: string;
  /** Days from now at which it ends; default 1, negative for one that has ended. */
  readonly days?: number;
}

/** An authority that signs certificates of members. */
export class Authority {
  /** Its own certificate, PEM. */
  readonly ca: Uint8Array;
  readonly #certificate: x509.X509Certificate;
  readonly #keys: webcrypto.CryptoKeyPair;

  private constructor(certificate: x509.X509Certificate, keys: webcrypto.CryptoKeyPair) {
    this.#certificate = certificate;
    this.#keys = keys;
    this.ca = Buffer.from(certificate.toString('pem'));
  }

  static async make(name = 'test'): Promise<Authority> {
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      ...{ name: `CN=${name}`, keys, signingAlgorithm: algorithm },
      ...{ notBefore: new Date(Date.now() - 9 * dayMs), notAfter: new Date(Date.now() + dayMs) },
      extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
    });
    return new Authority(certificate, keys);
  }

  readonly sign = async ({
    names = ['127.0.0.1'],
    days = 1,
    subject = 'CN=member',
  }: LeafOptions = {}): Promise<Pair> => {
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      ...{ subject, issuer: this.#certificate.subject },
      ...{ publicKey: keys.publicKey, signingKey: this.#keys.privateKey },
      signingAlgorithm: algorithm,
      notBefore: new Date(Date.now() - 8 * dayMs),
      notAfter: new Date(Date.now() + days * dayMs),
      extensions: [
        new x509.SubjectAlternativeNameExtension(
          names.map((value) => ({ type: /^[\d.]+$/.test(value) ? 'ip' : 'dns', value })),
        ),
      ],
    });
    const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
    const pem = x509.PemConverter.encode(key, 'PRIVATE KEY');
    return { cert: Buffer.from(certificate.toString('pem')), key: Buffer.from(pem) };
  };
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}
