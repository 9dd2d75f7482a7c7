/** The members of a run, each a process with a directory and a proxy of its own. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freeAddresses } from '../../examples/failover/free-ports.js';
import { storeConfig } from '../../src/assembly/store-config.js';
import { LinkProxy } from './link-proxy.js';
import { MemberProcess, type OnNotice } from './member-process.js';
import type { StatusReport } from './protocol.js';

const timeoutMs = 3_000;
/** Between two looks whether all are well again. */
const lookMs = 100;

export class Cluster {
  readonly members: readonly MemberProcess[];
  readonly #proxies: readonly LinkProxy[];
  readonly #ids: readonly number[];
  readonly #cuts: Set<string>;

  private constructor(
    members: readonly MemberProcess[],
    proxies: readonly LinkProxy[],
    ids: readonly number[],
    cuts: Set<string>,
  ) {
    this.members = members;
    this.#proxies = proxies;
    this.#ids = ids;
    this.#cuts = cuts;
  }

  /** Starts `count` members in folders under `folder`. */
  static async start(folder: string, count: number, onNotice: OnNotice): Promise<Cluster> {
    const names = Array.from({ length: count }, (_, nth) => `n${nth + 1}`);
    const addresses = await freeAddresses(2 * count);
    const doors = addresses.slice(0, count);
    const cluster = Object.fromEntries(names.map((name, at) => [name, doors[at] as string]));
    const { members: config } = storeConfig({ name: 'n1', dir: folder, cluster });
    const ids = names.map((name) => config.find((member) => member.name === name)?.id as number);
    const cuts = new Set<string>();
    const isCut = (from: number, to: number) => cuts.has(`${from}>${to}`);
    const members: MemberProcess[] = [];
    const proxies: LinkProxy[] = [];
    for (const [at, name] of names.entries()) {
      const listen = addresses[count + at] as string;
      const place = { name, dir: join(folder, name), listen, cluster };
      members.push(new MemberProcess({ ...place, timeoutMs, clients: 3, keys: 60 }, onNotice));
      const proxy = new LinkProxy(ids[at] as number, listen, isCut);
      await proxy.listen(doors[at] as string);
      proxies.push(proxy);
    }
    const started = new Cluster(members, proxies, ids, cuts);
    await Promise.all(members.map((member) => started.open(member)));
    return started;
  }

  /** Starts a member and lets its clients work. */
  async open(member: MemberProcess): Promise<void> {
    const how = await member.start();
    if (how !== 'open') throw new Error(`${member.name} does not start: ${how}`);
    member.load(true);
  }

  /** Starts all that have ended. */
  async openAll(): Promise<void> {
    await Promise.all(this.members.map((each) => (each.isRunning ? undefined : this.open(each))));
  }

  /** Cuts what one member sends to others. */
  cut(from: MemberProcess, to: readonly MemberProcess[]): void {
    for (const each of to) if (each !== from) this.#cuts.add(`${this.#id(from)}>${this.#id(each)}`);
  }

  heal(): void {
    this.#cuts.clear();
    for (const proxy of this.#proxies) proxy.pump();
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
    for (const member of this.members) member.signal('SIGCONT');
    await Promise.all(this.members.map((member) => member.kill()));
    for (const proxy of this.#proxies) proxy.close();
  }

  #id(member: MemberProcess): number {
    return this.#ids[this.members.indexOf(member)] as number;
  }
}
