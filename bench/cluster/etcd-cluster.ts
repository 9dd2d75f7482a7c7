/**
 * Three real etcd processes on the loopback interface, when `etcd` is on the PATH, loaded through
 * the npm client `etcd3`: what a Node program would use in kontiki's place.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Etcd3 } from 'etcd3';
import { type LoadResult, type LoadShape, runLoad, type Target } from './closed-loop.js';
import { freePorts } from './free-ports.js';

const names = ['e1', 'e2', 'e3'];
const startTries = 100;

/** Version of the `etcd` on the PATH; `undefined` when there is none. */
export async function etcdVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)('etcd', ['--version']);
    return /etcd Version: (\S+)/.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}

export class EtcdCluster {
  readonly #members: readonly ChildProcess[];
  #leader = '';

  private constructor(members: readonly ChildProcess[]) {
    this.#members = members;
  }

  /** @param folder - where the data directories go */
  static async start(folder: string): Promise<EtcdCluster> {
    const ports = await freePorts(2 * names.length);
    const url = (port: number | undefined) => `http://127.0.0.1:${port}`;
    const clientUrls = names.map((_, at) => url(ports[at]));
    const peerUrls = names.map((_, at) => url(ports[names.length + at]));
    const all = names.map((name, at) => `${name}=${peerUrls[at]}`).join(',');
    const members = names.map((name, at) => {
      const settings = {
        name,
        'data-dir': join(folder, name),
        'listen-client-urls': clientUrls[at],
        'advertise-client-urls': clientUrls[at],
        'listen-peer-urls': peerUrls[at],
        'initial-advertise-peer-urls': peerUrls[at],
        'initial-cluster': all,
        'initial-cluster-state': 'new',
        logger: 'zap',
        'log-level': 'error',
      };
      const args = Object.entries(settings).map(([setting, value]) => `--${setting}=${value}`);
      const child = spawn('etcd', args, { stdio: 'ignore' });
      // Unlike a forked process it would not notice that nobody is left to stop it.
      process.once('exit', () => child.kill('SIGKILL'));
      return child;
    });
    const cluster = new EtcdCluster(members);
    try {
      cluster.#leader = await findLeader(clientUrls);
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** Address of the leader, `http://host:port`. */
  get leader(): string {
    return this.#leader;
  }

  /** Runs the load in this process, through one client connected to the leader. */
  async run(shape: LoadShape): Promise<LoadResult> {
    const client = new Etcd3({ hosts: this.#leader });
    const target: Target = {
      put: (key, value) => client.put(key).value(value).exec(),
      get: (key) => client.get(key).buffer(),
    };
    try {
      return await runLoad(target, shape);
    } finally {
      client.close();
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#members.map(kill));
  }
}

async function findLeader(endpoints: readonly string[]): Promise<string> {
  for (let tries = 0; tries < startTries; tries += 1) {
    for (const endpoint of endpoints) {
      const client = new Etcd3({ hosts: endpoint });
      try {
        const { leader, header } = await client.maintenance.status();
        if (leader === header.member_id && leader !== '0') return endpoint;
      } catch {
        // Not up yet.
      } finally {
        client.close();
      }
    }
    await sleep(100);
  }
  throw new Error('etcd: expected a leader within 10 s');
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  process.kill(child.pid, 'SIGKILL');
  await exited;
}
