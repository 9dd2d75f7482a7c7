/**
 * Three members of one cluster, each a process with a data directory of its own.
 */
import { join } from 'node:path';
import type { StoreOptions } from '../../src/index.js';
import { freeAddresses } from './free-ports.js';
import { MemberProcess } from './member-process.js';
import type { Item } from './protocol.js';

const names = ['n1', 'n2', 'n3'];
const keysPerRequest = 256;

export class Cluster {
  readonly #options: ReadonlyMap<string, StoreOptions & { readonly name: string }>;
  readonly #members = new Map<string, MemberProcess>();
  #onServing: (leader: string, atMs: number) => void = () => undefined;

  private constructor(folder: string, addresses: readonly string[]) {
    const cluster = Object.fromEntries(names.map((name, at) => [name, addresses[at] as string]));
    this.#options = new Map(
      names.map((name) => [name, { name, dir: join(folder, name), cluster }]),
    );
  }

  /** @param folder - where the data directories go */
  static async create(folder: string): Promise<Cluster> {
    return new Cluster(folder, await freeAddresses(names.length));
  }

  /** The members, in the order of their names; those that were killed too. */
  get members(): MemberProcess[] {
    return names.flatMap((name) => this.#members.get(name) ?? []);
  }

  async startAll(): Promise<void> {
    await Promise.all(names.map((name) => this.start(name)));
  }

  /** Starts a member, or starts it again, from its directory. */
  async start(name: string): Promise<MemberProcess> {
    const options = this.#options.get(name);
    if (options === undefined) throw new Error(`there is no member ${name}`);
    const onServing = (leader: string, atMs: number) => this.#onServing(leader, atMs);
    const member = new MemberProcess(options, onServing);
    this.#members.set(name, member);
    await member.opened;
    return member;
  }

  /** The member that leads. */
  async leader(): Promise<MemberProcess> {
    const running = this.members.filter((member) => !member.gone);
    const reports = await Promise.all(running.map((member) => member.ask('status')));
    const leader = this.#members.get(reports.find((report) => report.leader)?.leader ?? '');
    if (leader === undefined) throw new Error('no member knows a leader');
    return leader;
  }

  /** Wall-clock time of the first put acknowledged from now on under a leader other than this one. */
  firstAcknowledgedWithout(name: string): Promise<number> {
    return new Promise((resolve) => {
      this.#onServing = (leader, atMs) => {
        if (leader !== name) resolve(atMs);
      };
    });
  }

  /** Keys of `items` whose value, read through this member, is not what the file holds. */
  async compare(member: MemberProcess, items: readonly Item[]): Promise<string[]> {
    const different: string[] = [];
    for (let at = 0; at < items.length; at += keysPerRequest) {
      const report = await member.ask('compare', items.slice(at, at + keysPerRequest));
      different.push(...report.different);
    }
    return different;
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.members.filter((member) => !member.gone).map((m) => m.close()));
  }

  /** Leaves no process behind, whatever happened. */
  async killAll(): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()));
  }
}
