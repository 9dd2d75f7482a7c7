/**
 * The network between simulated machines: who is reachable under which member id, and the path in
 * each direction between two machines, with its faults.
 */
import type { MemberId } from '../raft/types.js';
import type { Transport } from '../transport/transport.js';
import type { Incarnation } from './incarnation.js';
import { type PathEnds, type PathOptions, SimPath, usualPath } from './sim-path.js';
import type { SimScheduler } from './sim-scheduler.js';
import { SimTransport } from './sim-transport.js';

/**
 * @since 0.1.0
 */
export interface SimNetworkOptions {
  readonly scheduler: SimScheduler;
  /** Of the whole run. */
  readonly seed: number;
  /** For every path; see {@link PathOptions} for the defaults. */
  readonly path?: Partial<PathOptions> | undefined;
  /** Silence after which a connection counts as broken; default 2,000. */
  readonly linkTimeoutMs?: number | undefined;
}

/**
 * One network. Machines are named by their name; faults may change at any time.
 *
 * @since 0.1.0
 */
export class SimNetwork {
  readonly seed: number;
  readonly linkTimeoutUs: number;
  readonly #scheduler: SimScheduler;
  readonly #paths = new Map<string, Map<string, SimPath>>();
  readonly #machines: string[] = [];
  /** Hosts of machines that are not reached under their name any more. */
  readonly #hosts = new Map<string, string>();
  readonly #listening = new Map<string, SimTransport>();
  readonly #members = new Map<MemberId, SimTransport>();
  /** Of a day without faults. */
  readonly #calm: PathOptions;
  #defaults: Partial<PathOptions>;

  /**
   * @param options - see {@link SimNetworkOptions}
   */
  constructor(options: SimNetworkOptions) {
    this.seed = options.seed;
    this.linkTimeoutUs = Math.ceil((options.linkTimeoutMs ?? 2_000) * 1_000);
    this.#scheduler = options.scheduler;
    this.#defaults = options.path ?? {};
    this.#calm = { ...usualPath, ...options.path };
  }

  /**
   * The transport of one incarnation, at the address of its machine.
   *
   * @param incarnation - whose transport this is
   */
  transport(incarnation: Incarnation): Transport {
    return new SimTransport(this, incarnation);
  }

  /** Names a machine, so that `isolate` knows of it. */
  addMachine(name: string): void {
    if (!this.#machines.includes(name)) this.#machines.push(name);
  }

  /** From now on a machine is reached under another host than its name, or than before. */
  move(machine: string, host: string): void {
    this.#hosts.set(machine, host);
  }

  /** Under which host a machine is reached. */
  hostOf(machine: string): string {
    return this.#hosts.get(machine) ?? machine;
  }

  /** The machine that is reached under a host: the one of that name, unless it moved. */
  machineAt(host: string): string {
    for (const [machine, at] of this.#hosts) if (at === host) return machine;
    return this.#hosts.has(host) ? `(nobody at ${host})` : host;
  }

  /**
   * Changes how paths treat messages.
   *
   * @param options - what changes
   * @param ends - which direction; default every path, those to come included
   */
  configure(options: Partial<PathOptions>, ends?: PathEnds): void {
    if (ends !== undefined) return this.path(ends).configure(options);
    this.#defaults = { ...this.#defaults, ...options };
    for (const paths of this.#paths.values()) {
      for (const path of paths.values()) path.configure(options);
    }
  }

  /**
   * Lets paths treat messages as this network was made to.
   *
   * @param ends - which direction; default every path
   */
  calm(ends?: PathEnds): void {
    this.configure(this.#calm, ends);
  }

  /** Cuts one direction: what is in flight on it is lost too. */
  block(ends: PathEnds): void {
    if (this.path(ends).blocked) return;
    this.path(ends).blocked = true;
    this.#scheduler.trace('net.block', ends.from, ends.to);
    for (const a of this.endpoints()) {
      for (const b of this.endpoints()) {
        const isForward = a.machine === ends.from && b.machine === ends.to;
        const isBackward = a.machine === ends.to && b.machine === ends.from;
        if (isForward || isBackward) a.link(b.identity.memberId)?.cut(b, false);
      }
    }
  }

  /** Breaks the connections between two machines, which both notice soon: as a reset does. */
  reset(ends: PathEnds): void {
    this.#scheduler.trace('net.reset', ends.from, ends.to);
    for (const a of this.endpoints()) {
      for (const b of this.endpoints()) {
        const isBetween =
          (a.machine === ends.from && b.machine === ends.to) ||
          (a.machine === ends.to && b.machine === ends.from);
        if (isBetween) a.link(b.identity.memberId)?.cut(b, true);
      }
    }
  }

  /** Lets one direction through again. */
  unblock(ends: PathEnds): void {
    if (!this.path(ends).blocked) return;
    this.path(ends).blocked = false;
    this.#scheduler.trace('net.unblock', ends.from, ends.to);
  }

  /** Cuts both directions between every machine of one group and every machine of the other. */
  partition(group: readonly string[], others: readonly string[]): void {
    for (const a of group) {
      for (const b of others) {
        this.block({ from: a, to: b });
        this.block({ from: b, to: a });
      }
    }
  }

  /** Cuts one machine off from all others. */
  isolate(machine: string): void {
    this.partition(
      [machine],
      this.#machines.filter((name) => name !== machine),
    );
  }

  /** Ends every cut. Delays, drops and the like stay as they are. */
  heal(): void {
    for (const [from, paths] of this.#paths) {
      for (const to of paths.keys()) this.unblock({ from, to });
    }
  }

  /** The path of one direction. */
  path(ends: PathEnds): SimPath {
    let paths = this.#paths.get(ends.from);
    if (paths === undefined) {
      paths = new Map();
      this.#paths.set(ends.from, paths);
    }
    let path = paths.get(ends.to);
    if (path === undefined) {
      path = new SimPath(this.seed, ends);
      path.configure(this.#defaults);
      paths.set(ends.to, path);
    }
    return path;
  }

  /** Takes the address of a transport's machine; false when another one holds it. */
  listen(transport: SimTransport): boolean {
    const holder = this.#listening.get(transport.machine);
    if (holder !== undefined && !holder.closed && holder.incarnation.alive) return false;
    this.#listening.set(transport.machine, transport);
    return true;
  }

  /** Whether a transport holds the address of its machine. */
  isListening(transport: SimTransport): boolean {
    return this.#listening.get(transport.machine) === transport;
  }

  /** Every started transport of a living process. */
  endpoints(): readonly SimTransport[] {
    return [...this.#members.values()].filter((transport) => transport.reachable);
  }

  /** Where a member is reachable now. */
  endpoint(member: MemberId): SimTransport | undefined {
    const transport = this.#members.get(member);
    return transport?.reachable === true ? transport : undefined;
  }

  /** A started transport joins: it dials everyone ever seen, and all that live dial it. */
  enter(transport: SimTransport): void {
    const { memberId } = transport.identity;
    const before = this.#members.get(memberId);
    this.#members.set(memberId, transport);
    for (const peer of this.endpoints()) {
      if (peer === transport) continue;
      // The machine is back and knows nothing of connections to the process before.
      if (before !== undefined) peer.link(memberId)?.cut(before, true);
      peer.connect(memberId);
    }
    for (const peer of this.#members.keys()) transport.connect(peer);
  }

  /**
   * A transport is gone: closed, or its process dead.
   *
   * @param options.reset - its machine tells the peers; false when nobody is left to tell
   */
  leave(transport: SimTransport, options: { readonly reset: boolean }): void {
    if (this.#listening.get(transport.machine) === transport) {
      this.#listening.delete(transport.machine);
    }
    for (const [member, other] of this.#members) {
      if (other !== transport) continue;
      for (const peer of this.endpoints()) peer.link(member)?.cut(transport, options.reset);
    }
  }
}
