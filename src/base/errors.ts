/**
 * The one error family of the library. Match by `code` (or {@link isKontikiError}), never by
 * `instanceof`: two copies of the package may be loaded in one process.
 */

const brand = Symbol.for('kontiki.error');

/**
 * What became of a write that failed: `rejected` never took and never will take effect, so it is
 * safe to send again; `unknown` may have taken effect or may still do so.
 *
 * @since 0.1.0
 */
export type Outcome = 'rejected' | 'unknown';

/**
 * Why two members do not speak TLS with each other: the other side's certificate (`no-certificate`,
 * `expired`, `unknown-issuer`, `wrong-name`), only one side speaks TLS (`plaintext`: this one, `tls`:
 * the other), the peer refused ours (`by-peer`), anything else (`handshake`).
 *
 * @since 0.1.0
 */
export type TlsRefusal =
  | 'by-peer'
  | 'expired'
  | 'handshake'
  | 'no-certificate'
  | 'plaintext'
  | 'tls'
  | 'unknown-issuer'
  | 'wrong-name';

/**
 * Fields that errors of a code carry beside the message. Codes without a line here carry none.
 *
 * @since 0.1.0
 */
export interface ErrorFields {
  /** `compactRevision`: the oldest revision that can still be read is this one. */
  COMPACTED: { readonly compactRevision: number };
  /** `reason`: the rule that a change of the configuration, or a stored one, would break. */
  CONFIGURATION_INVALID: {
    readonly reason:
      | 'joint'
      | 'malformed'
      | 'no-voters'
      | 'not-joint'
      | 'pending'
      | 'several-voters'
      | 'unknown-change'
      | 'voters-removed';
  };
  /** `revision`: the newest revision that exists. */
  FUTURE_REVISION: { readonly revision: number };
  /** `leaderId`: the member to ask instead, when known. */
  NOT_LEADER: { readonly leaderId?: number | undefined };
  /** `file` and byte `offset` of the first damage. */
  SNAPSHOT_CORRUPT: { readonly file: string; readonly offset: number };
  /** `reason`: see {@link TlsRefusal}. */
  TLS_REFUSED: { readonly reason: TlsRefusal };
  /** `file` and byte `offset` of the first damage. */
  WAL_CORRUPT: { readonly file: string; readonly offset: number };
}

/**
 * Every code the library throws. docs/errors.md explains each.
 *
 * @since 0.1.0
 */
export type ErrorCode =
  | 'ABORTED'
  | 'ARGUMENT_INVALID'
  | 'ASSERTION'
  | 'CLOSED'
  | 'CLUSTER_MISMATCH'
  | 'COMPACTED'
  | 'CONFIGURATION_INVALID'
  | 'CORRUPT'
  | 'DIR_LOCKED'
  | 'DIR_NOT_EMPTY'
  | 'DIR_REQUIRED'
  | 'DUPLICATE_KEY'
  | 'FORMAT_UNSUPPORTED'
  | 'FRAME_INVALID'
  | 'FUTURE_REVISION'
  | 'INVARIANT_VIOLATED'
  | 'ITERATOR_BUSY'
  | 'KEY_EMPTY'
  | 'KEY_NOT_FOUND'
  | 'LEADER_CHANGED'
  | 'LEARNER_NOT_READY'
  | 'LEASE_EXISTS'
  | 'LEASE_EXPIRED'
  | 'LEASE_NOT_FOUND'
  | 'LOCK_HELD'
  | 'MEMBER_EXISTS'
  | 'MEMBER_IDENTITY_CHANGED'
  | 'MEMBER_MISMATCH'
  | 'MEMBER_NOT_LEARNER'
  | 'MEMBER_REMOVED'
  | 'MEMBER_ROLLED_BACK'
  | 'MEMBER_UNKNOWN'
  | 'MESSAGE_INVALID'
  | 'NO_LEADER'
  | 'NO_SPACE'
  | 'NOT_LEADER'
  | 'OPTIONS_INVALID'
  | 'OVERLOADED'
  | 'OVERTAKEN'
  | 'OWNERSHIP_LOST'
  | 'PORT_IN_USE'
  | 'PROPOSAL_DROPPED'
  | 'QUORUM_AT_RISK'
  | 'REQUEST_TOO_LARGE'
  | 'SESSION_EXPIRED'
  | 'SNAPSHOT_CORRUPT'
  | 'STATE_CORRUPT'
  | 'STATE_MACHINE_INVALID'
  | 'STORAGE_IO'
  | 'TIMEOUT'
  | 'TLS_REFUSED'
  | 'TOO_MANY_MEMBERS'
  | 'TOO_MANY_OPERATIONS'
  | 'TRANSPORT_IO'
  | 'WAL_CORRUPT';

/**
 * Options of {@link KontikiError}: the cause, the outcome of a write, and the code's own fields.
 *
 * @since 0.1.0
 */
export type KontikiErrorOptions<C extends ErrorCode> = {
  readonly cause?: unknown;
  readonly outcome?: Outcome;
} & (C extends keyof ErrorFields ? ErrorFields[C] : unknown);

/**
 * An error of this library.
 *
 * @since 0.1.0
 */
export class KontikiError extends Error {
  readonly code: ErrorCode;
  /** Present on failed writes only. */
  declare readonly outcome?: Outcome;

  /**
   * @param code - stable; the message is free to change between releases
   * @param message - what was expected and what came, in one sentence
   * @param options - `cause`, `outcome`, and the fields of the code in {@link ErrorFields}
   */
  constructor(code: ErrorCode, message: string, options: Record<string, unknown> = {}) {
    const { cause, ...fields } = options;
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'KontikiError';
    this.code = code;
    Object.assign(this, fields);
    Object.defineProperty(this, brand, { value: true });
  }
}

/**
 * Builds an error whose fields the compiler checks against {@link ErrorFields}.
 *
 * @param code - see {@link ErrorCode}
 * @param message - what was expected and what came
 * @param options - `cause`, `outcome` and the code's own fields
 * @since 0.1.0
 */
export function kontikiError<C extends ErrorCode>(
  code: C,
  message: string,
  ...[options]: C extends keyof ErrorFields ? [KontikiErrorOptions<C>] : [KontikiErrorOptions<C>?]
): KontikiErrorOf<C> {
  return new KontikiError(code, message, options ?? {}) as KontikiErrorOf<C>;
}

/**
 * A {@link KontikiError} whose code, and so whose fields, are known.
 *
 * @since 0.1.0
 */
export type KontikiErrorOf<C extends ErrorCode> = KontikiError & {
  readonly code: C;
} & (C extends keyof ErrorFields ? ErrorFields[C] : unknown);

/**
 * Whether `error` is of this library, and optionally of one code.
 *
 * @param error - anything caught
 * @param code - when given, the code must match too
 * @since 0.1.0
 * @example if (isKontikiError(e, 'COMPACTED')) resumeAt(e.compactRevision);
 */
export function isKontikiError<C extends ErrorCode>(
  error: unknown,
  code?: C,
): error is KontikiErrorOf<C> {
  if (typeof error !== 'object' || error === null || !(brand in error)) return false;
  return code === undefined || (error as { readonly code?: unknown }).code === code;
}

/**
 * Whether `error` is of this library and has one of some codes.
 *
 * @param error - anything caught
 * @param codes - any of them will do
 * @since 0.1.0
 */
export function isErrorOf(error: unknown, codes: readonly ErrorCode[]): error is KontikiError {
  return isKontikiError(error) && codes.includes(error.code);
}

const passingCodes = ['LEADER_CHANGED', 'NO_LEADER', 'OVERLOADED', 'TIMEOUT'] as const;

/**
 * Whether a question to the leader failed in passing: asked again, it may fare better.
 *
 * @param error - anything caught
 * @since 0.1.0
 */
export function isPassing(error: unknown): error is KontikiError {
  return isErrorOf(error, passingCodes);
}

/**
 * The same error, with what became of one write.
 *
 * @since 0.1.0
 */
export function withOutcome(error: KontikiError, outcome: Outcome): KontikiError {
  const { code, message, cause, ...fields } = error;
  return kontikiError(code, message, { ...fields, cause, outcome } as never);
}
