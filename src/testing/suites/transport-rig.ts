/** What the transport suite plays with: members on a network, and what each of them was told. */
import { assert } from '../../base/assert.js';
import type { KontikiError } from '../../base/errors.js';
import type { WireMessage } from '../../codec/wire-message.js';
import type { MemberId } from '../../raft/types.js';
import type {
  MemberIdentity,
  Transport,
  TransportHandlers,
  TransportIncident,
} from '../../transport/transport.js';
import type { Bench } from './suite.js';

const testClusterId = 77;

/**
 * A network that transports are made for; what `SuiteRig.open` of the transport suite gives. It closes
 * what it has made when the rig is disposed of.
 *
 * @since 0.1.0
 */
export interface TransportNetwork {
  /**
   * A transport for `member` that listens and has not started. Transports learn where all members are
   * when they start, from those made by then. A second one of a member takes the same address.
   *
   * @throws {KontikiError} PORT_IN_USE while the one before is not closed
   */
  make(member: MemberId): Promise<Transport>;
  /**
   * Tells all transports that `member` is to be found where `actual` is. Networks whose addresses are
   * member ids have none, and skip the test of it.
   */
  misdirect?(member: MemberId, actual: MemberId): void;
}

/**
 * An owner of a transport that writes down what it is told.
 *
 * @since 0.1.0
 */
export class TransportRecorder implements TransportHandlers {
  readonly messages: WireMessage[] = [];
  /** As `2 up`, `2 down`. */
  readonly links: string[] = [];
  /** As `2 MEMBER_UNKNOWN`. */
  readonly refusals: string[] = [];
  readonly incidents: TransportIncident[] = [];
  readonly admitted: { readonly peer: MemberIdentity; readonly probe: boolean }[] = [];
  /** What `admit` does after it wrote down the peer. */
  decide: (peer: MemberIdentity) => Promise<void> = () => Promise.resolve();

  onMessage(message: WireMessage): void {
    this.messages.push(message);
  }

  admit(peer: MemberIdentity, probe: boolean): Promise<void> {
    this.admitted.push({ peer, probe });
    return this.decide(peer);
  }

  onLink(peer: MemberId, up: boolean): void {
    this.links.push(`${peer} ${up ? 'up' : 'down'}`);
  }

  onRefused(peer: MemberId, error: KontikiError): void {
    this.refusals.push(`${peer} ${error.code}`);
  }

  onIncident(incident: TransportIncident): void {
    this.incidents.push(incident);
  }

  /** Whether the link to a peer stands, as far as it was told. */
  isUp(peer: MemberId): boolean {
    return this.links.findLast((link) => link.startsWith(`${peer} `)) === `${peer} up`;
  }
}

/** A member of a test. @since 0.1.0 */
export interface TransportMember {
  readonly transport: Transport;
  readonly owner: TransportRecorder;
}

/** One network, and time that passes on it. @since 0.1.0 */
export class TransportStage {
  readonly network: TransportNetwork;
  readonly #bench: Bench<TransportNetwork>;

  private constructor(bench: Bench<TransportNetwork>, network: TransportNetwork) {
    this.#bench = bench;
    this.network = network;
  }

  static async on(bench: Bench<TransportNetwork>): Promise<TransportStage> {
    return new TransportStage(bench, await bench.open());
  }

  run<R>(promise: Promise<R>): Promise<R> {
    return this.#bench.run(promise);
  }

  make(member: MemberId): Promise<Transport> {
    return this.run(this.network.make(member));
  }

  /** Starts members, all of whom know each other. */
  async start(...members: MemberId[]): Promise<TransportMember[]> {
    const transports: Transport[] = [];
    for (const member of members) transports.push(await this.make(member));
    return transports.map((transport, at) => begin(transport, members[at] as MemberId));
  }

  /** Members 1 and 2, connected. */
  async startPair(): Promise<{ readonly one: TransportMember; readonly two: TransportMember }> {
    const [one, two] = (await this.start(1, 2)) as [TransportMember, TransportMember];
    await this.until(() => one.owner.isUp(2), 'the link to 2 stands');
    return { one, two };
  }

  /** Lets time pass until a condition holds; fails when it does not within a few thousand steps. */
  async until(condition: () => boolean, what: string): Promise<void> {
    for (let step = 0; step < 10_000 && !condition(); step += 1) await this.#bench.step();
    assert(condition(), `it never came about that ${what}`);
  }
}

/** Starts a transport, with an owner that agrees to everything. @since 0.1.0 */
export function begin(
  transport: Transport,
  member: MemberId,
  decide?: (peer: MemberIdentity) => Promise<void>,
  clusterId = testClusterId,
): TransportMember {
  const owner = new TransportRecorder();
  if (decide !== undefined) owner.decide = decide;
  transport.start({ ...testIdentity(member), clusterId }, owner);
  return { transport, owner };
}

/** The identity of a member of a test; the same at every call. @since 0.1.0 */
export function testIdentity(memberId: MemberId): MemberIdentity {
  const life = { number: 3, tokens: [memberId, 2 ** 32 - 1], term: 5, lastIndex: 2 ** 40 };
  return { clusterId: testClusterId, memberId, dirId: String(memberId).padStart(32, '0'), life };
}

/** A small message that can be told from others by its commit index. @since 0.1.0 */
export function testHeartbeat(from: MemberId, to: MemberId, commit: number): WireMessage {
  return { kind: 'heartbeat-request', from, to, term: 1, commit, reads: 0, sentAt: 0 };
}
