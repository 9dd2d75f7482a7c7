/**
 * P8: what one entry costs in the consensus core alone. Three members in one process, disks and
 * state machines that finish at once, every message delivered in order: all that is left is the core.
 *
 * Run: `npx tsx bench/raft.ts`, or by name through `bench/main.ts`.
 */
import { fileURLToPath } from 'node:url';
import { Prng } from '../src/base/prng.js';
import {
  type Entry,
  emptyHardState,
  type LogReader,
  type Message,
  RawNode,
} from '../src/raft/index.js';
import type { Benchmark } from './benchmark.js';
import { formatTable } from './table.js';

const ids = [1, 2, 3] as const;
const payload = new Uint8Array(256);
const entriesPerRun = 50_000;

/** A log in an array, as the memory log store keeps it. */
class ArrayLog implements LogReader {
  readonly #entries: Entry[] = [];

  append(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    this.#entries.length = first.index - 1;
    for (const entry of entries) this.#entries.push(entry);
  }

  initialState() {
    return { hardState: emptyHardState, voters: ids };
  }

  firstIndex(): number {
    return 1;
  }

  lastIndex(): number {
    return this.#entries.length;
  }

  term(index: number): number | undefined {
    return index === 0 ? 0 : this.#entries[index - 1]?.term;
  }

  entries({ lo, hi }: { readonly lo: number; readonly hi: number }): readonly Entry[] {
    return this.#entries.slice(lo - 1, hi - 1);
  }
}

class Group {
  readonly nodes: readonly RawNode[];
  readonly #logs: readonly ArrayLog[];
  applied = 0;

  constructor() {
    this.#logs = ids.map(() => new ArrayLog());
    const options = { random: new Prng(1), preVote: false };
    this.nodes = ids.map((id, i) => new RawNode({ ...options, id, reader: this.#logs[i]! }));
    this.nodes[0]!.campaign();
    this.drain();
  }

  /** Carries out Readys until nobody has one. */
  drain(): void {
    for (let busy = true; busy; ) {
      busy = false;
      for (let at = 0; at < ids.length; at += 1) {
        const node = this.nodes[at]!;
        if (!node.hasReady()) continue;
        busy = true;
        const { messages, append, apply } = node.ready();
        for (const message of messages) this.#deliver(message);
        if (append !== undefined) {
          this.#logs[at]!.append(append.entries);
          for (const message of append.responses) this.#deliver(message);
        }
        if (apply === undefined) continue;
        this.applied += apply.entries.length;
        node.step(apply.response);
      }
    }
  }

  #deliver(message: Message): void {
    this.nodes[message.to - 1]!.step(message);
  }
}

/** Nanoseconds per entry of one run. */
function measure(entries: number, act: (group: Group) => number): number {
  const group = new Group();
  const before = group.applied;
  const start = process.hrtime.bigint();
  let done = 0;
  while (done < entries) done += act(group);
  const elapsed = Number(process.hrtime.bigint() - start);
  const applied = group.applied - before;
  if (applied !== done * ids.length) throw new Error(`applied ${applied} of ${done} entries`);
  return elapsed / done;
}

const batch = Array.from({ length: 64 }, () => payload);

/** What one step of each case does; returns how many entries it proposed. */
const cases: Readonly<Record<string, (group: Group) => number>> = {
  'single proposals': (group) => {
    group.nodes[0]!.propose([payload]);
    group.drain();
    return 1;
  },
  'batches of 64': (group) => {
    group.nodes[0]!.propose(batch);
    group.drain();
    return batch.length;
  },
  '64 single proposals a turn': (group) => {
    for (const command of batch) group.nodes[0]!.propose([command]);
    group.drain();
    return batch.length;
  },
};

/** Nanoseconds per entry, all three members together: runs of a fixed size for `seconds`. */
export const run: Benchmark = async ({ seconds, record }) => {
  const rows: string[][] = [];
  for (const [name, act] of Object.entries(cases)) {
    measure(entriesPerRun, act);
    const runs: number[] = [];
    const end = performance.now() + seconds * 1_000;
    while (runs.length === 0 || performance.now() < end) runs.push(measure(entriesPerRun, act));
    runs.sort((a, b) => a - b);
    const median = runs[runs.length >> 1]!;
    rows.push([name, median.toFixed(0), runs[0]!.toFixed(0)]);
    record({ measure: name, subject: 'kontiki/raft', value: median, unit: 'ns per entry' });
  }
  console.log(formatTable(['3 members', 'ns per entry', 'best'], rows));
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await run({ seconds: 3, folder: '', record: () => {} });
}
