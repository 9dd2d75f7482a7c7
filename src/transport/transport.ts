/**
 * Moves messages between members.
 */
import type { KontikiError } from '../base/errors.js';
import type { WireMessage } from '../codec/wire-message.js';
import type { MemberId } from '../raft/types.js';

/**
 * The life of a data directory, from one opening to the next: tells the directory from an old copy of
 * it (ADR 0019).
 *
 * @since 0.1.0
 */
export interface DirectoryLife {
  /** How often it was opened, this time included. */
  readonly number: number;
  /** Drawn at random for this life and those before it, 32 bits each, newest first; not all of them. */
  readonly tokens: readonly number[];
  /** The term it was in when this life began. */
  readonly term: number;
  /** The last entry of its log then. */
  readonly lastIndex: number;
}

/** Who a member is, as it tells others in the handshake. @since 0.1.0 */
export interface MemberIdentity {
  readonly clusterId: number;
  readonly memberId: MemberId;
  /** Random, drawn once per data directory; 32 hexadecimal digits (DESIGN §4.17). */
  readonly dirId: string;
  /** Absent in memory, where nothing is copied. */
  readonly life?: DirectoryLife | undefined;
  /** Where the member can be answered, for peers that do not know it yet. */
  readonly address?: string | undefined;
}

/**
 * Something that a transport has dealt with by itself, to be logged and counted: a connection that was
 * refused or closed for what came on it, a message too large to be sent, certificates that can not be renewed.
 *
 * @since 0.1.0
 */
export interface TransportIncident {
  /**
   * FRAME_INVALID, FORMAT_UNSUPPORTED, TLS_REFUSED, TIMEOUT, OVERLOADED, a refusal of the handshake, or
   * OPTIONS_INVALID for certificates.
   */
  readonly error: KontikiError;
  /** `host:port` of the other end, if there is one. */
  readonly address: string | undefined;
  /** As which member it presents itself, if it did. */
  readonly memberId: MemberId | undefined;
}

/**
 * What the transport asks of and tells its owner. Calls but `admit` never overlap with themselves;
 * none may throw, and what they throw all the same is not caught.
 *
 * @since 0.1.0
 */
export interface TransportHandlers {
  /**
   * A message of a verified peer. Those that travel on one connection come in the order in which
   * they were sent; chunks of snapshots have one of their own.
   */
  onMessage(message: WireMessage): void;
  /**
   * A peer presents itself, before its first message is handed over. Resolves to accept (after the
   * pair was durably remembered), rejects with `MEMBER_UNKNOWN`, `MEMBER_IDENTITY_CHANGED` or
   * `MEMBER_ROLLED_BACK`.
   * With `probe` the peer only asks: answer the same, remember nothing. Calls may overlap.
   */
  admit(peer: MemberIdentity, probe: boolean): Promise<void>;
  /**
   * The outgoing connection to `peer` stands (`true`) or fell (`false`). Told on every change, and
   * once when the first attempt to connect fails.
   */
  onLink(peer: MemberId, up: boolean): void;
  /** `peer` refused our handshake, or we its certificate; the link retries with backoff. */
  onRefused(peer: MemberId, error: KontikiError): void;
  /** Optional: answers one that may be no member; `undefined` or a rejection for no answer. */
  onInquiry?(question: Uint8Array): Promise<Uint8Array | undefined>;
  /** Optional: a hostile or broken peer was dealt with. Nothing needs to be done about it. */
  onIncident?(incident: TransportIncident): void;
}

/**
 * Caller: the driver. Life: `listen`, optionally `probe`, `start`, then `send` and `flush`, `close`.
 *
 * Delivery is best effort: a message is delivered at most once, or dropped; messages to one peer
 * arrive in order as long as one connection stands.
 *
 * @since 0.1.0
 */
export interface Transport {
  /**
   * Takes the address, without talking to anyone yet.
   *
   * @throws {KontikiError} PORT_IN_USE, TRANSPORT_IO
   */
  listen(): Promise<void>;
  /**
   * Asks every reachable peer once whether it would take `self`, leaving no trace there. Resolves
   * when all answered, refused the connection or stayed silent for a short while.
   *
   * @throws {KontikiError} MEMBER_IDENTITY_CHANGED, CLUSTER_MISMATCH, MEMBER_UNKNOWN,
   *   FORMAT_UNSUPPORTED: what a peer answered
   */
  probe(self: MemberIdentity): Promise<void>;
  /**
   * The members are these from now on, in place of those the transport was made with. Links to those
   * that are new are begun, links to those that have another address begun anew; those of members that
   * were listed and are not any more end, in both directions. Links to a peer that was never listed,
   * which presented itself with an address, stay. When the own address is another than peers were told
   * with the identity, all links are begun anew with it. May be called before `start`.
   *
   * @param members - address by id, this member's own included; `undefined`: as it was
   */
  updatePeers(members: ReadonlyMap<MemberId, string | undefined>): void;
  /**
   * Asks whoever listens at an address, before this member is one, or when nobody lets it in. Optional:
   * without it a member that uses the transport can be founded, and not join.
   *
   * @param question - at most 900 bytes
   * @returns the answer; `undefined` when there was none in a short while
   * @throws {KontikiError} TLS_REFUSED
   */
  inquire?(address: string, question: Uint8Array): Promise<Uint8Array | undefined>;
  /** Begins to connect, accept and deliver. Called once. */
  start(self: MemberIdentity, handlers: TransportHandlers): void;
  /**
   * Queues a message for `message.to`. Never blocks, never throws; drops when the queue is full, no
   * connection to that member stands, or the message is too large to be sent.
   */
  send(message: WireMessage): void;
  /** Lets queued messages leave. The driver calls it once per event-loop turn. */
  flush(): void;
  /** Ends all connections and lets go of the address. Idempotent. */
  close(): Promise<void>;
}
