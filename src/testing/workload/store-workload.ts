/**
 * The clients of a store, and readers of its watches. In the end every answer is held against the log
 * that the members agreed on.
 */
import { isKontikiError } from '../../base/errors.js';
import { type Random, randomInt } from '../../base/prng.js';
import { decodeCommand } from '../../codec/command-codec.js';
import { leaseMsOf } from '../../node/lease.js';
import type { Store } from '../../store/store.js';
import { type KeyspaceInput, keyspaceSpecification } from '../checkers/keyspace-model.js';
import type { KeyspaceState } from '../checkers/keyspace-state.js';
import { checkLog } from '../checkers/log-check.js';
import { LogReplay } from '../checkers/log-replay.js';
import type { LogEntry } from '../checkers/log-types.js';
import type { StoreStep } from '../invariants/store-step.js';
import type { Workload, WorkloadContext } from '../run/workload.js';
import { AtMostOnce } from './at-most-once.js';
import { BackupTaker } from './backup-taker.js';
import { drawRenewal, usualCalls } from './call-weights.js';
import { RevisionHistory, watchFinding } from './check-watch.js';
import { type Client, Clients, requestName } from './clients.js';
import {
  type ClientMemory,
  drawStoreCall,
  freshCalls,
  keyName,
  liveLease,
  refusalOf,
} from './draw-store-call.js';
import { type HeldLease, renewLease } from './held-lease.js';
import { HistoryLedger } from './history-ledger.js';
import { LeaseLedger } from './lease-ledger.js';
import { MeantTerms } from './meant-terms.js';
import { checkAtRest } from './rest-check.js';
import type { StoreAnswer, StoreCall } from './store-call.js';
import { revisionOf, StoreWatch, type Untimed } from './store-watch.js';
import { WatchClient, type WatchedKeys } from './watch-client.js';
import type { WatchEnd } from './watch-record.js';

/** One value in so many is long: logs and snapshots get large sooner. */
const longValueOf = 16;
const longPadding = '.'.repeat(1_500);

/** The impatient ask again elsewhere; the patient ones outlast most faults. */
const timeoutsMs = [300, 2_000, 7_000] as const;

/** How many times to live clients choose from, in seconds. */
const leaseSecondsUsual = 8;

/** The same and what comes on top of it, in virtual milliseconds. */
const leaseEndMs = 10_000 + 10_000;

/** A single call of the store, which has all of the client's time. */
const timedOps: readonly string[] = ['put', 'delete'];
/** Of commands that stores propose by themselves. */
const ownOps: readonly string[] = ['alarm', 'compact', 'lease-checkpoint', 'lease-revoke'];

/** How long members may take to start and to catch up when nothing hinders them. */
const startMs = 30_000;

/** @since 0.1.0 */
export class StoreWorkload implements Workload<Store> {
  readonly #watchers: WatchClient[] = [];
  #clients: Clients<Store, StoreCall['input'], StoreAnswer> | undefined;
  #ledger: LeaseLedger | undefined;
  #watch: StoreWatch | undefined;
  #once: AtMostOnce | undefined;
  #history: HistoryLedger | undefined;
  #ownCompactions = 0;
  #backups: BackupTaker | undefined;
  #values = 0;
  /** The newest revision that a client was told of. */
  #toldMax = 0;

  get pending(): number {
    const watching = this.#watchers.filter(({ isWaiting }) => isWaiting).length;
    return watching + (this.#clients?.pending ?? 0) + (this.#backups?.pending ?? 0);
  }

  observe(context: WorkloadContext<Store>): void {
    const once = new AtMostOnce((id, message) => context.violated(id, message));
    this.#once = once;
    const history = new HistoryLedger(keepMsOf(context));
    this.#history = history;
    const meant = new MeantTerms((id, message) => context.violated(id, message));
    const watch = new StoreWatch(context, (entry, result) => {
      meant.take(entry);
      if (!once.take(entry, result)) return;
      this.#ledger?.applied(entry, result, context.nowUs);
      history.applied(entry, result, context.nowUs);
    });
    const observe = (step: Untimed<StoreStep>) => watch.observe(step);
    this.#watch = watch;
    this.#ledger = new LeaseLedger((id, message) => context.violated(id, message), observe);
    this.#clients = new Clients(context, observe);
    context.cluster.onMachine((machine) => {
      watch.watch(machine);
      meant.watch(machine);
    });
  }

  start(context: WorkloadContext<Store>): void {
    this.#clients?.start((client, random) => this.#client(client, random, context));
    const { clients, watchers = clients } = context.scenario;
    for (let client = 0; client < watchers; client += 1) {
      const observe = (step: Untimed<StoreStep>) => this.#watch?.observe(step);
      this.#watchers.push(new WatchClient(context, client, someKeys(context, client), observe));
    }
    for (const watcher of this.#watchers) void watcher.run();
    const { backupEveryMs } = context.scenario;
    if (backupEveryMs === undefined) return;
    this.#backups = new BackupTaker(context, () => this.#toldMax);
    void this.#backups.run(backupEveryMs);
  }

  ask({ scenario: { keys } }: WorkloadContext<Store>, members: readonly string[]): void {
    this.#clients?.ask(members, (client, random) => {
      const value = () => this.#value(client);
      const memory = { random, keys, value, timeoutMs: timeoutsMs[2] };
      return freshCalls.map((draw) => ({ next: () => draw(memory) }));
    });
  }

  get unserved(): readonly string[] {
    return this.#clients?.unserved ?? [];
  }

  stop(): void {
    this.#clients?.stop();
    for (const watcher of this.#watchers) watcher.stop();
    this.#backups?.stop();
  }

  async finish(context: WorkloadContext<Store>): Promise<void> {
    await this.#outliveLeases(context);
    const { log, states } = this.#judged(context);
    const state = states.at(-1) as KeyspaceState;
    this.#watch?.end();
    await this.#backups?.check((upTo) => {
      const behind = log.findIndex(({ place }) => (place?.index ?? 0) > upTo);
      return states[behind < 0 ? log.length : behind] as KeyspaceState;
    });
    await checkAtRest(context, state);
    await this.#restartAll(context);
    await checkAtRest(context, state);
  }

  judge(context: WorkloadContext<Store>): void {
    this.#judged(context);
  }

  /** @returns what the log did, and the states before and after each entry */
  #judged(context: WorkloadContext<Store>) {
    const log = [...this.#committed(context)];
    const history = this.#calls.map(loggedOperation);
    for (const { kind, message } of checkLog(keyspaceSpecification, { log, history })) {
      context.violated(`X1.${kind}`, message);
    }
    this.#checkHistory(context);
    const { states } = new LogReplay(keyspaceSpecification, log);
    const revisions = new RevisionHistory(states.at(-1) as KeyspaceState);
    for (const record of this.#watchers.flatMap((watcher) => watcher.records)) {
      const finding = watchFinding(record, revisions);
      if (finding !== undefined) context.violated(finding.id, finding.message);
    }
    return { log, states };
  }

  #checkHistory({ violated }: WorkloadContext<Store>): void {
    const asked = new Set(this.#calls.map((call) => call.request));
    const isAsked = (index: number) => asked.has(requestName(this.#once?.nameOf(index)));
    for (const compaction of this.#history?.own(isAsked) ?? []) {
      this.#ownCompactions += 1;
      const finding = this.#history?.finding(compaction);
      if (finding !== undefined) violated('H1', finding);
    }
  }

  /** Nobody renews a lease any more, so all of them end. */
  async #outliveLeases({ cluster, violated }: WorkloadContext<Store>): Promise<void> {
    const isOver = () => this.#ledger?.aliveCount === 0 && cluster.isSettled();
    await cluster.sim.runUntil(isOver, leaseEndMs).catch((error: unknown) => {
      if (!isKontikiError(error, 'TIMEOUT')) throw error;
      violated('L2', `${this.#ledger?.aliveCount} leases that nobody renews did not end`);
    });
  }

  /** What everybody holds outlives a loss of power at all of them. */
  async #restartAll({ cluster }: WorkloadContext<Store>): Promise<void> {
    const { running, sim } = cluster;
    for (const name of running) cluster.crash(name, 'power');
    await sim.complete(Promise.all(running.map((name) => cluster.start(name))), startMs);
    await sim.runUntil(() => cluster.leader() !== undefined && cluster.isSettled(), startMs);
  }

  summary(): Readonly<Record<string, number>> {
    return {
      ...this.#clients?.summary(),
      ...this.#backups?.figures,
      ...this.#once?.counts,
      ...this.#watched(),
    };
  }

  get #calls(): readonly StoreCall[] {
    return this.#clients?.calls ?? [];
  }

  #watched(): Readonly<Record<string, number>> {
    const records = this.#watchers.flatMap((watcher) => watcher.records);
    const count = (end: WatchEnd) => records.filter((record) => record.end === end).length;
    return {
      watches: records.length,
      'watches.lost': count('lost'),
      'watches.compacted': count('compacted'),
      changes: records.reduce((sum, { changes }) => sum + changes.length, 0),
      keptAlive: this.#ledger?.keptAlive ?? 0,
      'leases.expired': this.#ledger?.expired ?? 0,
      'history.compacted': this.#ownCompactions,
    };
  }

  #client(
    client: number,
    random: Random,
    context: WorkloadContext<Store>,
  ): Client<Store, StoreCall['input'], StoreAnswer> {
    const memory = this.#memory(client, random, context);
    const aside = () => {
      const held = drawRenewal(memory.calls, random) ? liveLease(memory) : undefined;
      return held && { service: held.store, run: () => this.#renew(held, memory) };
    };
    const next = () => {
      const drawn = drawStoreCall(memory);
      return timedOps.includes(drawn.input.op) ? { ...drawn, timeoutMs: memory.timeoutMs } : drawn;
    };
    return { next, aside, refusal: refusalOf, seen: memory.seen };
  }

  async #renew(held: HeldLease, memory: ClientMemory): Promise<void> {
    const isAlive = await renewLease(held, this.#ledger as LeaseLedger, () => memory.nowUs);
    const { id } = held.lease;
    if (!isAlive && memory.leases.get(id) === held) memory.leases.delete(id);
  }

  /** One that nobody has written before. */
  #value(client: number): string {
    this.#values += 1;
    const padding = this.#values % longValueOf === 0 ? longPadding : '';
    return `${client}.${this.#values}${padding}`;
  }

  #memory(client: number, random: Random, context: WorkloadContext<Store>) {
    const { cluster, scenario } = context;
    const ledger = this.#ledger as LeaseLedger;
    const drawnTimeoutMs = timeoutsMs[randomInt(random, timeoutsMs.length)] as number;
    const { calls = usualCalls, leaseSeconds = leaseSecondsUsual } = scenario;
    // In a scenario that asks for them in all runs, else in some.
    const chance = scenario.calls?.leaseReads === undefined ? 3 : 1;
    const usesLeaseReads = randomInt(context.random('lease-reads'), chance) === 0;
    const memory = {
      random,
      keys: scenario.keys,
      calls,
      leaseSeconds,
      leaseSecondsMin: Math.ceil((1.5 * 10 * (scenario.tickMs ?? 100)) / 1_000),
      revision: 1,
      compactRevision: 0,
      leases: new Map<bigint, HeldLease>(),
      timeoutMs: scenario.timeoutMs ?? drawnTimeoutMs,
      leaseMs: usesLeaseReads ? leaseMsOf(scenario.tickMs ?? 100, 10) : 0,
      value: () => this.#value(client),
      // Few, so that most have been used before.
      leaseId: () => BigInt(100 * (client + 1) + randomInt(random, 4)),
      granted: (...grant: Parameters<LeaseLedger['granted']>) => ledger.granted(...grant),
      get nowUs() {
        return context.nowUs;
      },
      runs: (store: Store) => cluster.running.some((name) => cluster.find(name) === store),
      seen: ({ answer }: StoreCall) => {
        if (answer === undefined) return;
        if ('revision' in answer && answer.revision !== undefined) {
          memory.revision = Math.max(memory.revision, answer.revision);
          this.#toldMax = Math.max(this.#toldMax, answer.revision);
        }
        if ('compactRevision' in answer && answer.compactRevision !== undefined) {
          memory.compactRevision = Math.max(memory.compactRevision, answer.compactRevision);
        }
      },
    } satisfies ClientMemory & { seen: (call: StoreCall) => void };
    return memory;
  }

  *#committed(context: WorkloadContext<Store>): IterableIterator<LogEntry<KeyspaceInput>> {
    const asked = new Set(this.#calls.map((call) => call.request));
    let index = 0;
    for (const committed of this.#clients?.log.entries() ?? []) {
      index += 1;
      if (committed === undefined) {
        context.violated('R4', `nobody told what entry ${index} was`);
        return;
      }
      const { data, term } = committed.entry;
      const revision = revisionOf(committed.result.value);
      if (data.length === 0) continue;
      const request = requestName(this.#once?.nameOf(index));
      if (request === undefined) continue;
      const { command } = decodeCommand(data);
      const isOwn = ownOps.includes(command.op);
      // Damage of a disk is noticed before it is read as a state: members never differ.
      if (command.op === 'alarm') context.violated('A1', `entry ${index} alarms ${command.member}`);
      const name = asked.has(request) || !isOwn ? request : undefined;
      yield { request: name, input: command, place: { term, index }, revision };
    }
  }
}

/** Simulations that say nothing are over long before history is given up by itself. */
function keepMsOf({ scenario }: WorkloadContext<Store>): number {
  const { history = 'all' } = scenario.tuning ?? {};
  return typeof history === 'object' && 'ms' in history ? history.ms : Number.POSITIVE_INFINITY;
}

function loggedOperation(call: StoreCall) {
  const { client, input, callAt, returnAt, outcome, answer: output, request, member } = call;
  // Whoever says that a revision is still to come has asked the others before.
  const isFuture = output !== undefined && 'code' in output && output.code === 'FUTURE_REVISION';
  const serializable = input.op === 'range' && input.revision !== undefined && !isFuture;
  // A read of the past asks nobody: only in one life of one member does it never go back.
  const session = `${client} at ${member}`;
  return { client, input, output, callAt, returnAt, outcome, request, serializable, session };
}

/** Everything for the first reader, a key or some keys for each of the others. */
function someKeys({ random, scenario }: WorkloadContext<Store>, client: number): WatchedKeys {
  if (client === 0) return { from: 'k', to: 'l' };
  const draw = random('watcher.range', client);
  const from = randomInt(draw, scenario.keys);
  if (randomInt(draw, 4) === 0) return keyName(from);
  return { from: keyName(from), to: keyName(from + 1 + randomInt(draw, scenario.keys)) };
}
