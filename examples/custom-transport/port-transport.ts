/**
 * Members in worker threads that talk over MessagePorts: a Transport of one's own, as
 * docs/api/transport.md asks for it.
 */
import type { MessagePort } from 'node:worker_threads';
import { isKontikiError, KontikiError } from '../../src/index.js';
import {
  decodeWireMessage,
  type MemberIdentity,
  type Transport,
  type TransportHandlers,
  type WireMessage,
} from '../../src/transport/index.js';
import { type Answer, dial, type Hello, PortLink } from './port-link.js';
import type { Call } from './switchboard.js';

const probeMs = 200;
const gravestFirst = ['MEMBER_IDENTITY_CHANGED', 'CLUSTER_MISMATCH', 'MEMBER_UNKNOWN'] as const;

interface Owner {
  readonly self: MemberIdentity;
  readonly handlers: TransportHandlers;
}

export class PortTransport implements Transport {
  readonly #line: MessagePort;
  readonly #member: number;
  #peers: readonly number[];
  readonly #links = new Map<number, PortLink>();
  /** Ports of peers that were taken. */
  readonly #incoming = new Map<number, MessagePort>();
  #owner: Owner | undefined;
  #closed = false;

  /**
   * @param line - of `Switchboard.line`
   * @param peers - all members, or all others
   */
  constructor(line: MessagePort, member: number, peers: readonly number[]) {
    this.#line = line;
    this.#member = member;
    this.#peers = peers;
  }

  async listen(): Promise<void> {
    const answered = new Promise<Call>((resolve) => this.#line.once('message', resolve));
    this.#line.postMessage({ op: 'listen', member: this.#member } satisfies Call);
    const answer = await answered;
    if (answer.op === 'listening' && answer.taken) {
      this.#line.close();
      throw new KontikiError('PORT_IN_USE', `another thread is member ${this.#member}`);
    }
    this.#line.on('message', (call: Call) => {
      if (call.op === 'dial') call.port.once('message', (hello) => this.#onHello(call.port, hello));
    });
  }

  async probe(self: MemberIdentity): Promise<void> {
    const others = this.#peers.filter((peer) => peer !== this.#member);
    const answers = await Promise.all(
      others.map((peer) => this.#ask({ from: self, to: peer, probe: true })),
    );
    for (const code of gravestFirst) {
      const refusal = answers.find((answer) => answer?.code === code);
      if (refusal !== undefined) throw new KontikiError(code, refusal.message ?? '');
    }
  }

  start(self: MemberIdentity, handlers: TransportHandlers): void {
    this.#owner = { self, handlers };
    this.updatePeers(new Map(this.#peers.map((peer) => [peer, undefined])));
  }

  /** Addresses are member ids here: nobody moves, members only come and go. */
  updatePeers(members: ReadonlyMap<number, unknown>): void {
    this.#peers = [...members.keys()].filter((peer) => peer !== this.#member);
    if (this.#owner === undefined || this.#closed) return;
    const { self, handlers } = this.#owner;
    for (const [peer, link] of this.#links) {
      if (members.has(peer)) continue;
      link.close();
      this.#links.delete(peer);
      this.#incoming.get(peer)?.close();
    }
    for (const peer of this.#peers) {
      if (!this.#links.has(peer))
        this.#links.set(peer, new PortLink(this.#line, self, peer, handlers));
    }
  }

  send(message: WireMessage): void {
    this.#links.get(message.to)?.send(message);
  }

  flush(): void {
    for (const link of this.#links.values()) link.flush();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const link of this.#links.values()) link.close();
    for (const port of this.#incoming.values()) port.close();
    this.#line.close();
  }

  async #ask(hello: Hello): Promise<Answer | undefined> {
    const { port, answered } = dial(this.#line, hello);
    const timer = setTimeout(() => port.close(), probeMs);
    const answer = await answered;
    clearTimeout(timer);
    port.close();
    return answer;
  }

  /** A peer presents itself. Nobody is taken before the owner agreed; who dialed closes the port. */
  async #onHello(port: MessagePort, { from, to, probe }: Hello): Promise<void> {
    const owner = this.#owner;
    if (owner === undefined || this.#closed) return port.close();
    try {
      if (from.clusterId !== owner.self.clusterId) {
        throw new KontikiError('CLUSTER_MISMATCH', `member ${to} is of another cluster`);
      }
      await owner.handlers.admit(from, probe);
    } catch (error) {
      const known = isKontikiError(error) && gravestFirst.some((code) => code === error.code);
      // What went wrong here is no business of the peer's.
      if (!known) return port.close();
      return port.postMessage({ code: error.code, message: error.message } satisfies Answer);
    }
    if (!probe) this.#take(owner, port, from.memberId);
    port.postMessage({} satisfies Answer);
  }

  #take({ handlers }: Owner, port: MessagePort, peer: number): void {
    if (this.#closed) return port.close();
    this.#incoming.get(peer)?.close();
    this.#incoming.set(peer, port);
    port.on('message', (batch: readonly Uint8Array[]) => {
      for (const bytes of batch) {
        const message = decodeWireMessage(bytes);
        if (message.from !== peer || message.to !== this.#member) return port.close();
        if (!this.#closed) handlers.onMessage(message);
      }
      port.postMessage(batch.reduce((sum, bytes) => sum + bytes.length, 0));
    });
  }
}
