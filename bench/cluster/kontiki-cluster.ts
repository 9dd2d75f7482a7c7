/**
 * Three durable kontiki members, a process each.
 */
import { join } from 'node:path';
import type { LoadResult, LoadShape } from './closed-loop.js';
import { freePorts } from './free-ports.js';
import { KontikiMember } from './kontiki-member.js';
import type { MemberFacts, MemberOptions } from './member.js';

const names = ['n1', 'n2', 'n3'];

export class KontikiCluster {
  readonly #options: ReadonlyMap<string, MemberOptions>;
  readonly #members = new Map<string, KontikiMember>();

  private constructor(options: ReadonlyMap<string, MemberOptions>) {
    this.#options = options;
  }

  /**
   * @param folder - where the data directories go
   * @param tuning - of every member; default that of `openStore`
   */
  static async start(folder: string, tuning?: MemberOptions['tuning']): Promise<KontikiCluster> {
    const ports = await freePorts(names.length);
    const cluster = Object.fromEntries(names.map((name, at) => [name, `127.0.0.1:${ports[at]}`]));
    const options = names.map((name): [string, MemberOptions] => [
      name,
      { name, dir: join(folder, name), cluster, tuning },
    ]);
    const started = new KontikiCluster(new Map(options));
    try {
      await Promise.all(names.map((name) => started.open(name)));
      return started;
    } catch (error) {
      await started.stop();
      throw error;
    }
  }

  get members(): readonly KontikiMember[] {
    return [...this.#members.values()];
  }

  /** Starts a member, for the first time or again. */
  async open(name: string): Promise<KontikiMember> {
    const options = this.#options.get(name) as MemberOptions;
    const member = await KontikiMember.start(options);
    this.#members.set(name, member);
    return member;
  }

  /** The member that leads. */
  async leader(): Promise<KontikiMember> {
    const { leader } = await (this.members[0] as KontikiMember).ask<MemberFacts>({ ask: 'facts' });
    return this.#members.get(leader as string) as KontikiMember;
  }

  /** Runs the load inside the process of the leader. */
  async run(shape: LoadShape, options: { readonly busyPool?: boolean } = {}): Promise<LoadResult> {
    return (await this.leader()).ask({ ask: 'load', shape, ...options });
  }

  async stop(): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()));
  }
}
