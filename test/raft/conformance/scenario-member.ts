/**
 * One member of a scenario: the node, its disk, its state machine, and the work that waits for the
 * last two. Every call of the node goes through {@link ScenarioMember.act}, which checks what must
 * hold afterwards.
 */
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import { isKontikiError } from '../../../src/base/errors.js';
import { type Prng, randomInt } from '../../../src/base/prng.js';
import {
  type Configuration,
  decodeConfChange,
  type Entry,
  emptyHardState,
  type HardState,
  RawNode,
  type Snapshot,
  type StorageAppend,
  type StorageApply,
} from '../../../src/raft/index.js';
import type { Raft } from '../../../src/raft/raft.js';
import { coreOf } from '../../../src/raft/raw-node.js';
import { freeze } from '../cluster.js';
import { electionTicks, type MemberOptions, tickMs } from './member-options.js';
import type { Relabelling } from './relabelling.js';
import type { ScenarioChecker } from './scenario-checker.js';
import { ScenarioStateMachine } from './scenario-state-machine.js';
import { ScenarioStorage } from './scenario-storage.js';
import { ShadowLog } from './shadow-log.js';
import type { Variant } from './variant.js';

export interface MemberSetting {
  readonly label: number;
  readonly options: MemberOptions;
  readonly names: Relabelling;
  readonly variant: Variant;
  readonly chances: Prng;
  readonly checker: ScenarioChecker;
  /** Where the reference behaves in another way than we do, and its files show it: as it does. */
  readonly asReference: boolean;
}

export class ScenarioMember {
  readonly label: number;
  readonly #setting: MemberSetting;
  readonly #storage: ScenarioStorage;
  #node!: RawNode;
  #shadow!: ShadowLog;
  /** Place of a message in the order of sending. */
  #sentOrder = new WeakMap<object, number>();
  #sentCount = 0;
  /** The hard state that was last handed out, for what a `Ready` must sync. */
  #hardState: HardState = emptyHardState;
  #nowMs = tickMs;
  #timeoutOfFile = 0;
  readonly #machine: ScenarioStateMachine;
  appendWork: StorageAppend[] = [];
  applyWork: StorageApply[] = [];

  constructor(setting: MemberSetting) {
    const { label, options, names } = setting;
    this.label = label;
    this.#setting = setting;
    const first = firstSnapshot(options, names);
    this.#machine = new ScenarioStateMachine(first);
    this.#storage = new ScenarioStorage({
      hardState: names.startHardState,
      base: first?.last ?? { term: 0, index: 0 },
      configuration: first?.configuration ?? {},
    });
    this.#start({ isNew: true });
  }

  #start({ isNew }: { readonly isNew: boolean }): void {
    const { label, options, names, chances, asReference } = this.#setting;
    this.#node = new RawNode({
      ...options.raft,
      id: names.id(label),
      reader: this.#storage,
      random: chances,
      applied: this.#machine.applied,
      latestSnapshot: () => this.#machine.latest,
      // One that was up before may have pledged; for a new one the files assume that it has not.
      leaseMs: isNew ? 0 : options.leaseMs,
    });
    if (isNew && options.leaseMs > 0) this.#node.setLease(options.leaseMs);
    this.#hardState = coreOf(this.#node).hardState;
    this.#shadow = new ShadowLog(coreOf(this.#node).log);
    this.#noteOrder(coreOf(this.#node));
    if (asReference) beAsReference(coreOf(this.#node), options);
  }

  /** The reference puts vote requests among what may leave at once: see `processReady`. */
  #noteOrder(core: Raft): void {
    const send = core.send.bind(core);
    core.send = (message) => {
      this.#sentOrder.set(message, this.#sentCount);
      this.#sentCount += 1;
      send(message);
    };
  }

  sentOrder(message: object): number {
    return this.#sentOrder.get(message) ?? Infinity;
  }

  get isAsync(): boolean {
    return this.#setting.options.raft.asyncStorageWrites === true;
  }

  get asReference(): boolean {
    return this.#setting.asReference;
  }

  get storage(): ScenarioStorage {
    return this.#storage;
  }

  /** For what a scenario shows of the core's inside. */
  get core(): Raft {
    return coreOf(this.#node);
  }

  get latestSnapshot(): Snapshot | undefined {
    return this.#machine.latest;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Uses the node, and checks it. */
  act<T>(use: (node: RawNode) => T): T {
    const { freeze: frozen } = this.#setting.variant;
    this.#lookOn();
    try {
      const result = use(this.#node);
      return frozen ? freeze(result) : result;
    } finally {
      this.#check();
      this.#lookOn();
    }
  }

  #check(): void {
    const { core } = this;
    const { electionTimeout } = core;
    // A file may set one that the core would never draw.
    if (electionTimeout === this.#timeoutOfFile) core.electionTimeout = electionTicks;
    this.#node.check();
    core.electionTimeout = electionTimeout;
    this.#shadow.check();
    this.#setting.checker.checkLeader(core);
  }

  /** Until the core draws another one. */
  setElectionTimeout(ticks: number): void {
    this.core.electionTimeout = ticks;
    this.#timeoutOfFile = ticks;
  }

  /** Asking changes nothing, whenever it happens. */
  #lookOn(): void {
    const { variant, chances } = this.#setting;
    if (!variant.lookOn || randomInt(chances, 2) === 0) return;
    const node = this.#node;
    const looked = () => [node.hasReady(), node.status(), node.configuration, node.leader];
    const first = looked();
    const second = looked();
    if (!isDeepStrictEqual(second, first)) expect(second, 'asked twice').toEqual(first);
  }

  tick(count: number): void {
    for (let tick = 0; tick < count; tick += 1) {
      this.#nowMs += tickMs;
      this.act((node) => node.tick(this.#nowMs));
    }
  }

  /** Whether the write must be synced, as the reference sees it: a snapshot is no reason there. */
  takeMustSync({ hardState, entries, mustSync, snapshot }: StorageAppend): boolean {
    const { term, vote } = hardState ?? this.#hardState;
    const needed = entries.length > 0 || term !== this.#hardState.term;
    const result = needed || vote !== this.#hardState.vote;
    expect(mustSync, 'mustSync').toBe(result || snapshot !== undefined);
    this.#hardState = hardState ?? this.#hardState;
    return result;
  }

  /** The append thread's work. A snapshot is the state machine's from then on too. */
  write(append: StorageAppend): void {
    this.#storage.write(this.#setting.variant.disk(append));
    if (append.snapshot !== undefined) this.#machine.install(append.snapshot);
  }

  /** The apply thread's work. */
  apply(entries: readonly Entry[]): void {
    for (const entry of entries) this.#machine.apply(entry, (each) => this.#change(each));
  }

  #change(entry: Entry): Configuration | undefined {
    const change = decodeConfChange(entry);
    try {
      return this.act((node) => node.applyConfChange(change));
    } catch (error) {
      // One that cannot be made changes nothing, on every member alike.
      if (isKontikiError(error, 'CONFIGURATION_INVALID')) return undefined;
      throw error;
    }
  }

  /**
   * The process ends and another one starts.
   *
   * @param options.applied - what the state machine durably has; default all it has
   */
  restart(options: {
    readonly applied?: number | undefined;
    readonly loseUnsynced: boolean;
  }): void {
    const { applied = Infinity, loseUnsynced } = options;
    this.#machine.loseAfter(applied);
    this.appendWork = [];
    this.applyWork = [];
    this.#storage.restart({ configuration: this.#machine.configuration, loseUnsynced });
    this.#start({ isNew: false });
    this.act(() => undefined);
  }
}

function firstSnapshot({ bootstrap }: MemberOptions, names: Relabelling): Snapshot | undefined {
  if (bootstrap === undefined) return undefined;
  const ids = (labels: readonly number[]): number[] => labels.map((label) => names.id(label));
  return {
    last: { term: names.startTerm, index: names.index(bootstrap.index) },
    configuration: { voters: ids(bootstrap.voters), learners: ids(bootstrap.learners) },
    data: new TextEncoder().encode(bootstrap.content),
  };
}

/**
 * What the reference's files show of its weaknesses (semantics O1, O14): in asynchronous mode vote
 * requests leave before the term is durable, a pre-candidate keeps its timeout, and what we do against
 * standstills is not done. In synchronous mode everything leaves after the write in any case, so there
 * our own order runs.
 */
function beAsReference(core: Raft, options: MemberOptions): void {
  core.eagerVoteRequests = options.raft.asyncStorageWrites === true;
  // Its candidates do not learn from answers what is committed, and count the votes instead.
  core.keepsStandstills = true;
  const become = core.becomePreCandidate.bind(core);
  core.becomePreCandidate = () => {
    const { electionTimeout } = core;
    become();
    core.electionTimeout = electionTimeout;
  };
}
