/**
 * One real etcd on the loopback interface, spoken to in JSON (its gateway for the v3 API), so that
 * nothing of ours stands between the question and the answer.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import type { Json } from '../mvcc/plain-answer.js';

const startTries = 200;

/** Version of the `etcd` on the PATH; `undefined` when there is none. */
export function etcdVersion(): string | undefined {
  try {
    const told = execFileSync('etcd', ['--version'], { encoding: 'utf8' });
    return /etcd Version: (\S+)/.exec(told)?.[1];
  } catch {
    return undefined;
  }
}

export class EtcdProcess {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true });

  private constructor(child: ChildProcess, folder: string, port: number) {
    this.#child = child;
    this.#folder = folder;
    this.#port = port;
  }

  static async start(): Promise<EtcdProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'kontiki-etcd-'));
    const [port, peerPort] = [await freePort(), await freePort()];
    const url = (at: number) => `http://127.0.0.1:${at}`;
    const settings = {
      name: 'e1',
      'data-dir': folder,
      'listen-client-urls': url(port),
      'advertise-client-urls': url(port),
      'listen-peer-urls': url(peerPort),
      'initial-advertise-peer-urls': url(peerPort),
      'initial-cluster': `e1=${url(peerPort)}`,
      logger: 'zap',
      'log-level': 'fatal',
    };
    const args = Object.entries(settings).map(([setting, value]) => `--${setting}=${value}`);
    const child = spawn('etcd', args, { stdio: 'ignore' });
    process.once('exit', () => child.kill('SIGKILL'));
    const etcd = new EtcdProcess(child, folder, port);
    for (let tries = 0; tries < startTries; tries += 1) {
      try {
        const status = await etcd.ask('maintenance/status', {});
        if (status.leader !== undefined) return etcd;
      } catch {
        // Not up yet.
      }
      await wait(50);
    }
    await etcd.stop();
    throw new Error('etcd: expected a leader within 10 s');
  }

  /** What the call answers, an error included: `{ error, code }`. */
  async ask(path: string, body: Json): Promise<Json> {
    const response = await this.#send(path, body);
    response.setEncoding('utf8');
    let text = '';
    for await (const part of response) text += part;
    return JSON.parse(text) as Json;
  }

  /** What a watch answers, until the caller has enough. */
  async *watch(create: Json): AsyncGenerator<Json, void, undefined> {
    const response = await this.#send('watch', { create_request: create });
    try {
      for await (const line of createInterface({ input: response })) {
        yield (JSON.parse(line) as { readonly result: Json }).result;
      }
    } finally {
      response.destroy();
    }
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await exited;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #send(path: string, body: Json): Promise<IncomingMessage> {
    const target = { host: '127.0.0.1', port: this.#port, path: `/v3/${path}` };
    const sent = request({ ...target, method: 'POST', agent: this.#agent });
    sent.end(JSON.stringify(body));
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return response;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
