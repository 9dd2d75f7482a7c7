/**
 * Certificates and key of a member, and their renewal while it runs. The files are looked at with
 * each new connection, synchronously: a few microseconds, where the thread pool may be busy for seconds.
 */
import { constants, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext, type SecureContext } from 'node:tls';
import { type KontikiError, kontikiError } from '../../base/errors.js';
import { ownTls, type TlsOptions } from '../tls-options.js';

/** What both ends of a connection are set up with. @since 0.1.0 */
export interface TlsMaterial {
  /** For servers, which make their own context of it. */
  readonly settings: {
    readonly ca: Buffer;
    readonly cert: Buffer;
    readonly key: Buffer;
    readonly minVersion: 'TLSv1.3';
    readonly secureOptions: number;
  };
  /** For clients. */
  readonly context: SecureContext;
}

/** @since 0.1.0 */
export class TlsCredentials {
  readonly #onStale: (error: KontikiError) => void;
  #options: TlsOptions;
  /** Of what was looked at last; `undefined`: to be looked at again. */
  #stamp: string | undefined;
  /** What was told since one was taken, and of which files. */
  #told: string | undefined;
  #material: TlsMaterial;

  /**
   * @param options - read at once; their bytes may be wiped afterwards
   * @param onStale - told when files have changed and can not be used: the old ones stay in use until
   *   they change again
   * @throws {KontikiError} OPTIONS_INVALID
   */
  constructor(options: TlsOptions, onStale: (error: KontikiError) => void) {
    this.#onStale = onStale;
    this.#stamp = stampOf(options);
    this.#material = load(options);
    this.#options = ownTls(options);
  }

  /** The newest that can be used; the same object until it changes. */
  current(): TlsMaterial {
    // Taken before the files are read, so that a change in between is seen the next time.
    const stamp = stampOf(this.#options);
    if (stamp === this.#stamp) return this.#material;
    this.#stamp = stamp;
    try {
      this.#material = load(this.#options);
      this.#told = undefined;
    } catch (error) {
      // Descriptors, or a right to read it, may come later, and change nothing that the stamp shows.
      if (isUnread(error)) this.#stamp = undefined;
      this.#tell(error as KontikiError, stamp);
    }
    return this.#material;
  }

  #tell(error: KontikiError, stamp: string): void {
    const told = `${stamp} ${error.message}`;
    if (told === this.#told) return;
    this.#told = told;
    this.#onStale(error);
  }

  /**
   * Takes others, or reads the same files again; what fails changes nothing.
   *
   * @throws {KontikiError} OPTIONS_INVALID
   */
  reload(options: TlsOptions = this.#options): void {
    const stamp = stampOf(options);
    this.#material = load(options);
    this.#options = ownTls(options);
    this.#stamp = stamp;
    this.#told = undefined;
  }
}

/** Changes with the files; one that can not be looked at is one more state of it. */
function stampOf({ ca, cert, key }: TlsOptions): string {
  return [ca, cert, key]
    .map((source) => {
      if (typeof source !== 'string') return '';
      try {
        const { ino, mtimeMs, size } = statSync(source);
        return `${mtimeMs} ${size} ${ino}`;
      } catch (error) {
        return String(error);
      }
    })
    .join();
}

function load({ ca, cert, key }: TlsOptions): TlsMaterial {
  try {
    const settings = {
      ca: certificatesOf(bytesOf(ca), 'ca'),
      cert: certificatesOf(bytesOf(cert), 'cert'),
      key: bytesOf(key),
      // Both ends are ours: nothing older has to be spoken with.
      minVersion: 'TLSv1.3' as const,
      // A resumed session is not verified again: it would outlive its certificate, or the authority.
      secureOptions: constants.SSL_OP_NO_TICKET,
    };
    return { settings, context: createSecureContext(settings) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw kontikiError('OPTIONS_INVALID', `tls: ${message}`, { cause: error });
  }
}

/** The platform did not give the bytes, whatever is in them. */
function isUnread(error: unknown): boolean {
  const { cause } = error as { readonly cause?: unknown };
  return cause instanceof Error && 'syscall' in cause;
}

function bytesOf(source: string | Uint8Array): Buffer {
  return typeof source === 'string' ? readFileSync(source) : Buffer.from(source);
}

const pemBlock = /-----BEGIN ([^-]+)-----(?:(?!-----).)*-----END \1-----/gs;
const certificateBlock = /^-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/;
/** What is left of a block that is not whole. */
const pemRest = /-----(?:(?:BEGIN|END) |(?:B|BE|BEG|BEGI|BEGIN|E|EN|END)?$)/;

/**
 * The certificates of a file and nothing else, each on lines of its own. Of authorities the platform
 * takes as many as it can read, and says nothing of the others: of a file that is half written that may
 * be none, and one that was joined of two without a line break ends at the joint.
 */
function certificatesOf(bytes: Buffer, name: string): Buffer {
  const text = bytes.toString('latin1');
  const blocks = (text.match(pemBlock) ?? []).filter((each) => certificateBlock.test(each));
  if (blocks.length === 0) throw new Error(`expected certificates in ${name}, got none`);
  if (pemRest.test(text.replace(pemBlock, ''))) {
    throw new Error(`expected ${name} to be whole, got parts around ${blocks.length} certificates`);
  }
  for (const each of blocks) new X509Certificate(each);
  return Buffer.from(blocks.map((each) => `${each}\n`).join(''), 'latin1');
}
