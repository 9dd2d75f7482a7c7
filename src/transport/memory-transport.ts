/**
 * One member's end of a {@link MemoryHub}.
 */
import { assert } from '../base/assert.js';
import type { KontikiError } from '../base/errors.js';
import { decodeWireMessage } from '../codec/wire-codec.js';
import type { WireMessage } from '../codec/wire-message.js';
import type { MemberId } from '../raft/types.js';
import { decodeAnswer, encodeAnswer, gravestRefusal, refusalError, refusalOf } from './answer.js';
import { acceptanceOf, checkHello, helloOf } from './handshake.js';
import { decodeHello, encodeHello } from './hello.js';
import { listedPeers } from './listed-peers.js';
import type { MemoryHub, MemoryTransportOptions } from './memory-hub.js';
import { MemoryLink } from './memory-link.js';
import type { MemberIdentity, Transport, TransportHandlers } from './transport.js';

/**
 * A {@link Transport} inside a process; made by {@link MemoryHub.transport}.
 *
 * @since 0.1.0
 */
export class MemoryTransport implements Transport {
  readonly #hub: MemoryHub;
  readonly #options: MemoryTransportOptions;
  readonly #links = new Map<MemberId, MemoryLink>();
  /** Members whose addresses are known. */
  readonly #listed = new Set<MemberId>();
  /** Where members said they are, which the list may not know yet. */
  readonly #said = new Map<MemberId, string>();
  /** Those of `updatePeers` before `start`. */
  #updated: ReadonlyMap<MemberId, string | undefined> | undefined;
  #owner: { readonly self: MemberIdentity; readonly handlers: TransportHandlers } | undefined;
  #state: 'new' | 'listening' | 'closed' = 'new';

  constructor(hub: MemoryHub, options: MemoryTransportOptions) {
    this.#hub = hub;
    this.#options = options;
  }

  /** Once started; until then nobody can reach it. */
  get memberId(): MemberId | undefined {
    return this.#owner?.self.memberId;
  }

  async listen(): Promise<void> {
    assert(this.#state === 'new', 'a transport listens once');
    this.#hub.add(this.#options.address, this);
    this.#state = 'listening';
  }

  async probe(self: MemberIdentity): Promise<void> {
    const asked = this.#peersOf(self).map(([peer, address]) => this.#ask(self, peer, address));
    const refusal = gravestRefusal(await Promise.all(asked));
    if (refusal !== undefined) throw refusal;
  }

  start(self: MemberIdentity, handlers: TransportHandlers): void {
    assert(this.#owner === undefined, 'a transport starts once');
    this.#owner = { self, handlers };
    if (this.#state === 'closed') return;
    for (const [peer, address] of this.#peersOf(self)) {
      this.#listed.add(peer);
      this.#link(peer, address);
    }
  }

  async inquire(address: string, question: Uint8Array): Promise<Uint8Array | undefined> {
    const asked = this.#hub.listening(address);
    if (asked?.memberId === undefined) return undefined;
    return asked.#owner?.handlers.onInquiry?.(question).catch(() => undefined);
  }

  updatePeers(members: ReadonlyMap<MemberId, string | undefined>): void {
    if (this.#owner === undefined) {
      this.#updated = members;
      return;
    }
    for (const peer of [...this.#listed]) {
      if (members.has(peer)) continue;
      this.#listed.delete(peer);
      this.#said.delete(peer);
      this.#unlink(peer);
      this.#hub.dropLinks(peer, this);
    }
    for (const [peer, address] of members) {
      if (peer === this.memberId || address === undefined) continue;
      this.#listed.add(peer);
      this.#link(peer, address);
    }
    const { self } = this.#owner;
    const own = members.get(self.memberId);
    if (own !== undefined && own !== self.address) this.#introduce({ ...self, address: own });
  }

  /** A peer that was told of no address, or of another, could not answer: it is told again. */
  #introduce(self: MemberIdentity): void {
    if (this.#owner === undefined) return;
    this.#owner = { ...this.#owner, self };
    for (const [peer, { address }] of [...this.#links]) {
      this.#unlink(peer);
      this.#link(peer, address);
    }
  }

  /** A peer is answered where it says it is, unless it is found where the list says. */
  #meet({ address, memberId }: MemberIdentity): void {
    if (address === undefined) return;
    this.#said.set(memberId, address);
    if (this.#listed.has(memberId)) this.#links.get(memberId)?.says(address);
    else this.#link(memberId, address);
  }

  /** A link to where the member is, in place of one that leads elsewhere. */
  #link(peer: MemberId, address: string): void {
    if (this.#owner === undefined || this.#state === 'closed') return;
    if (this.#links.get(peer)?.leadsTo(address)) return;
    this.#unlink(peer);
    const link = new MemoryLink({ hub: this.#hub, peer, address, ...this.#owner });
    this.#links.set(peer, link);
    const said = this.#said.get(peer);
    if (said !== undefined) link.says(said);
  }

  #unlink(peer: MemberId): void {
    const link = this.#links.get(peer);
    if (link === undefined) return;
    link.close();
    this.#links.delete(peer);
    // In a turn of its own: the owner is in the middle of something.
    this.#hub.timers.soon(() => {
      if (this.#state !== 'closed') this.#owner?.handlers.onLink(peer, false);
    });
  }

  send(message: WireMessage): void {
    this.#links.get(message.to)?.send(message);
  }

  flush(): void {
    for (const link of this.#links.values()) link.flush();
  }

  async close(): Promise<void> {
    for (const link of this.#links.values()) link.close();
    if (this.#state === 'listening') this.#hub.remove(this.#options.address, this);
    this.#state = 'closed';
  }

  /**
   * For links: the answer to a hello, `undefined` when the connection is closed instead.
   *
   * @internal
   */
  async answer(bytes: Uint8Array): Promise<Uint8Array | undefined> {
    if (this.#owner === undefined || this.#state === 'closed') return undefined;
    const { self, handlers } = this.#owner;
    const hello = decodeHello(bytes);
    try {
      const error = checkHello(hello, self);
      if (error !== undefined) throw error;
      await handlers.admit(hello.from, hello.probe);
      if (!hello.probe) this.#meet(hello.from);
    } catch (error) {
      const refusal = refusalOf(error);
      return refusal && encodeAnswer(refusal);
    }
    return encodeAnswer(acceptanceOf(hello, self));
  }

  /**
   * For links: hands an encoded message to the owner; false when it is not of `from`, to us.
   *
   * @internal
   */
  receive(from: MemberId, bytes: Uint8Array): boolean {
    if (this.#owner === undefined || this.#state === 'closed') return false;
    const message = decodeWireMessage(bytes);
    if (message.from !== from || message.to !== this.#owner.self.memberId) return false;
    this.#owner.handlers.onMessage(message);
    return true;
  }

  /** For the hub. @internal */
  dropLinksBetween(a: MemberId, b: MemberId): void {
    if (this.memberId === a) this.#links.get(b)?.drop();
    if (this.memberId === b) this.#links.get(a)?.drop();
  }

  /** For the hub. @internal */
  dropLinksTo(target: MemoryTransport): void {
    for (const link of this.#links.values()) if (link.target === target) link.drop();
  }

  async #ask(
    self: MemberIdentity,
    peer: MemberId,
    address: string,
  ): Promise<KontikiError | undefined> {
    const target = this.#hub.reach(self.memberId, address);
    const bytes = await target?.answer(encodeHello(helloOf(self, peer, true)));
    const answer = bytes && decodeAnswer(bytes);
    return answer?.kind === 'refused' ? refusalError(answer) : undefined;
  }

  #peersOf(self: MemberIdentity): [MemberId, string][] {
    return listedPeers(this.#options.peers, this.#updated, self.memberId);
  }
}
