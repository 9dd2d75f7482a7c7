/** The members of a run, each a process with a directory of its own and, mostly, a proxy before it. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freeAddresses } from '../../examples/failover/free-ports.js';
import { storeConfig } from '../../src/assembly/store-config.js';
import type { MemberStatus } from '../../src/node/index.js';
import { LinkProxy } from './link-proxy.js';
import { MemberProcess, type OnNotice } from './member-process.js';
import type { MemberPlace, MembersCall, StatusReport } from './protocol.js';

const times = { timeoutMs: 3_000, readTimeoutMs: 2_000 };
/** Between two looks whether all are well again. */
const lookMs = 100;

export interface ClusterOptions {
  readonly folder: string;
  readonly onNotice: OnNotice;
  /**
   * Certificates of a member, and the host it is at: nothing is put between members that speak TLS.
   * Default: no TLS, and a proxy before each.
   */
  readonly tls?: (nth: number) => { readonly host: string; readonly tls: MemberPlace['tls'] };
}

/** How the others reach a member. */
interface Door {
  id: number;
  address: string;
  proxy: LinkProxy | undefined;
}

export class Cluster {
  /** Those that belong to it, in the order in which they came. */
  members: readonly MemberProcess[] = [];
  /** Those that were removed. */
  readonly gone: MemberProcess[] = [];
  readonly #options: ClusterOptions;
  readonly #doors = new Map<MemberProcess, Door>();
  readonly #proxies: LinkProxy[] = [];
  readonly #cuts = new Set<string>();
  #made = 0;

  constructor(options: ClusterOptions) {
    this.#options = options;
  }

  /** Starts `count` members in folders under `folder`. */
  static async start(folder: string, count: number, onNotice: OnNotice): Promise<Cluster> {
    const cluster = new Cluster({ folder, onNotice });
    await cluster.found(Array.from({ length: count }, (_, nth) => `n${nth + 1}`));
    return cluster;
  }

  /**
   * Starts its first members.
   *
   * @param prepare - is told what each will be opened with, before any is
   */
  async found(
    names: readonly string[],
    prepare?: (member: MemberProcess, cluster: Record<string, string>) => Promise<void>,
  ): Promise<void> {
    const made = [];
    for (const name of names) made.push({ name, ...(await this.#newPlace()) });
    const cluster = Object.fromEntries(made.map(({ name, address }) => [name, address]));
    const dir = this.#options.folder;
    const { members } = storeConfig({ name: names[0], dir, cluster });
    for (const { name, address, place } of made) {
      const id = members.find((each) => each.name === name)?.id as number;
      const member = this.#make(name, { ...place, cluster });
      await this.#put(member, { id, address, place });
      await prepare?.(member, cluster);
    }
    await Promise.all(this.members.map((member) => this.serve(member)));
  }

  /** Starts a member, and lets its clients work at once. */
  async open(member: MemberProcess): Promise<void> {
    await this.#start(member);
    member.load(true);
  }

  /** Starts a member, and lets its clients work once it serves, as whoever operates one would. */
  async serve(member: MemberProcess): Promise<void> {
    await this.#start(member);
    while ((await member.status()) === undefined) await wait(lookMs);
    member.load(true);
  }

  /** Starts all that have ended. */
  async openAll(): Promise<void> {
    await Promise.all(this.members.map((each) => (each.isRunning ? undefined : this.open(each))));
  }

  /** Asks a member for a change of the members, and expects it to be made. */
  async change(via: MemberProcess, call: MembersCall): Promise<readonly MemberStatus[]> {
    const answer = await via.members(call);
    if (typeof answer === 'string') throw new Error(`${JSON.stringify(call)}: ${answer}`);
    return answer;
  }

  /** Adds a member, starts it, and waits until it votes. */
  async add(name: string, via: MemberProcess): Promise<MemberProcess> {
    const { address, place } = await this.#newPlace();
    const id = idOf(await this.change(via, { op: 'add', name, address }), name);
    const member = this.#make(name, { ...place, join: this.#addresses });
    await this.#put(member, { id, address, place });
    await this.serve(member);
    await this.untilVoter(name, via);
    return member;
  }

  /**
   * Adds a member that cannot start, and takes it out again.
   *
   * @returns what it was refused with
   */
  async tryToAdd(name: string, via: MemberProcess): Promise<string> {
    const { address, place } = await this.#newPlace();
    await this.change(via, { op: 'add', name, address });
    const how = await this.#make(name, { ...place, join: this.#addresses }).start();
    await this.change(via, { op: 'remove', member: name });
    return how;
  }

  /** Removes a member whose clients have had their answers. */
  async remove(member: MemberProcess, via: MemberProcess): Promise<void> {
    await this.drain(member);
    await this.change(via, { op: 'remove', member: member.name });
    await this.left(member);
  }

  /** Waits until a member that was removed has stopped. */
  async left(member: MemberProcess): Promise<void> {
    await member.ended();
    this.members = this.members.filter((each) => each !== member);
    this.gone.push(member);
  }

  /** A member moves: it gets another address, and listens on another port. */
  async move(member: MemberProcess, via: MemberProcess): Promise<void> {
    await member.close(true);
    const { address, place } = await this.#newPlace();
    await this.change(via, { op: 'update', member: member.name, address });
    this.#doors.get(member)?.proxy?.close();
    member.moveTo(place);
    await this.#put(member, { id: this.#id(member), address, place });
    await this.serve(member);
  }

  /** One whose directory is gone comes back under a new id, at the address it had. */
  async rejoin(member: MemberProcess, via: MemberProcess): Promise<void> {
    const { name } = member;
    const door = this.#doors.get(member) as Door;
    await this.change(via, { op: 'remove', member: name });
    const was = door.id;
    door.id = idOf(await this.change(via, { op: 'add', name, address: door.address }), name);
    if (door.id === was) throw new Error(`${name} has the id ${was} again`);
    member.moveTo({ cluster: undefined, join: this.#addresses });
    await this.open(member);
    await this.untilVoter(name, via);
  }

  async untilVoter(name: string, via: MemberProcess): Promise<void> {
    for (;;) {
      const members = await this.change(via, { op: 'list' });
      if (members.some((each) => each.name === name && each.role === 'voter')) return;
      await wait(lookMs);
    }
  }

  /** Cuts what one member sends to others. */
  cut(from: MemberProcess, to: readonly MemberProcess[]): void {
    for (const each of to) if (each !== from) this.#cuts.add(`${this.#id(from)}>${this.#id(each)}`);
  }

  heal(): void {
    this.#cuts.clear();
    for (const proxy of this.#proxies) proxy.pump();
  }

  /** Any member but one. */
  other(member: MemberProcess): MemberProcess {
    return this.members.find((each) => each !== member && each.isRunning) as MemberProcess;
  }

  /** The member that leads, as most of them say. */
  async leader(): Promise<MemberProcess> {
    for (;;) {
      const reports = await Promise.all(this.members.map((member) => member.status()));
      const name = reports.find((report) => report?.leader !== undefined)?.leader;
      const leader = this.members.find((member) => member.name === name);
      if (leader !== undefined) return leader;
      await wait(lookMs);
    }
  }

  /** Waits until every member serves linearizable reads. */
  async untilWell(): Promise<readonly StatusReport[]> {
    for (;;) {
      const reports = await Promise.all(this.members.map((member) => member.status()));
      const well = reports.filter((report) => report !== undefined);
      if (well.length === reports.length) return well;
      await wait(lookMs);
    }
  }

  /** Stops a member's clients, and waits until they have had all their answers. */
  async drain(member: MemberProcess): Promise<void> {
    member.load(false);
    while ((await member.status())?.pending !== 0) await wait(lookMs);
  }

  /** Waits until the clients have ended their calls and every watch shows all there is. */
  async settle(): Promise<void> {
    for (const member of this.members) member.load(false);
    for (;;) {
      const reports = await this.untilWell();
      const lengths = this.members.map(({ changes }) => changes.length);
      const isQuiet = reports.every(({ pending }) => pending === 0);
      await wait(lookMs);
      const isStill = this.members.every(({ changes }, at) => changes.length === lengths[at]);
      const last = this.members.map(({ changes }) => changes.at(-1)?.revision);
      if (isQuiet && isStill && last.every((revision) => revision === last[0])) return;
    }
  }

  async wipe(member: MemberProcess): Promise<void> {
    await member.kill();
    await rm(member.dir, { recursive: true, force: true });
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.members.map((member) => member.close()));
  }

  /** Leaves nothing behind, whatever happened. */
  async end(): Promise<void> {
    const all = [...this.members, ...this.gone];
    for (const member of all) member.signal('SIGCONT');
    await Promise.all(all.map((member) => member.kill()));
    for (const proxy of this.#proxies) proxy.close();
  }

  async #start(member: MemberProcess): Promise<void> {
    const how = await member.start();
    if (how !== 'open') throw new Error(`${member.name} does not start: ${how}`);
  }

  get #addresses(): string[] {
    return this.members.map((member) => (this.#doors.get(member) as Door).address);
  }

  /** Where the next one can be. */
  async #newPlace(): Promise<{ readonly address: string; readonly place: MemberPlace }> {
    this.#made += 1;
    const [door = '', listen = ''] = await freeAddresses(2);
    const given = this.#options.tls?.(this.#made);
    if (given === undefined) return { address: door, place: { listen } };
    const address = door.replace('127.0.0.1', given.host);
    return { address, place: { listen: address, tls: given.tls } };
  }

  #make(name: string, place: MemberPlace): MemberProcess {
    const { folder, onNotice } = this.#options;
    const own = { name, dir: join(folder, name), ...place, ...times };
    return new MemberProcess({ ...own, clients: 3, keys: 60 }, onNotice);
  }

  async #put(
    member: MemberProcess,
    { id, address, place }: { id: number; address: string; place: MemberPlace },
  ): Promise<void> {
    const door: Door = { id, address, proxy: undefined };
    this.#doors.set(member, door);
    if (!this.members.includes(member)) this.members = [...this.members, member];
    if (place.tls !== undefined) return;
    const isCut = (from: number, to: number) => this.#cuts.has(`${from}>${to}`);
    door.proxy = new LinkProxy(() => door.id, place.listen, isCut);
    this.#proxies.push(door.proxy);
    await door.proxy.listen(address);
  }

  #id(member: MemberProcess): number {
    return (this.#doors.get(member) as Door).id;
  }
}

function idOf(members: readonly MemberStatus[], name: string): number {
  return members.find((each) => each.name === name)?.id as number;
}
