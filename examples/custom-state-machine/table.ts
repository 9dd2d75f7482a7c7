/**
 * A small replicated table: rows by id in memory, a file of its own on each member's disk, and snapshots
 * for members that fell behind. What it needs of kontiki is in `CommandMachine`.
 *
 * The file is written as a whole now and then; what came since is in kontiki's log, and comes again after
 * a crash. So the file says up to which entry it is, in the same write as the rows.
 */
import type { CommandEntry, CommandMachine, StateSnapshot } from '../../src/index.js';
import { parse, readLines, replaceFile, textOf } from './table-file.js';

export interface Row {
  readonly id: string;
  readonly [column: string]: unknown;
}

export type Command =
  | { readonly op: 'insert' | 'update'; readonly row: Row }
  | { readonly op: 'remove'; readonly id: string };

/** What became of a command, the same on every member. */
export type Answer =
  | { readonly done: true; readonly row: Row }
  | { readonly done: false; readonly why: 'exists' | 'missing' };

const rowsPerChunk = 1_000;

export class Table implements CommandMachine<Answer> {
  readonly #path: string;
  readonly #saveEvery: number;
  #rows: ReadonlyMap<string, Row> = new Map();
  #appliedIndex = 0;
  #durableIndex = 0;
  /** The last write of the file; once one has failed all do. */
  #saving: Promise<void> = Promise.resolve();
  #failure: unknown;

  /**
   * @param path - of its file
   * @param saveEvery - entries after which the file is written again
   */
  constructor(path: string, saveEvery = 1_000) {
    this.#path = path;
    this.#saveEvery = saveEvery;
  }

  get size(): number {
    return this.#rows.size;
  }

  /** The local row. Behind `node.readIndex()` it is the newest there is. */
  get(id: string): Row | undefined {
    return this.#rows.get(id);
  }

  select(where: (row: Row) => boolean): Row[] {
    return [...this.#rows.values()].filter(where);
  }

  get durableIndex(): number {
    return this.#durableIndex;
  }

  async open(): Promise<{ readonly appliedIndex: number }> {
    const [head, ...rows] = await readLines(this.#path);
    if (head !== undefined) {
      this.#appliedIndex = this.#durableIndex = (head as { appliedIndex: number }).appliedIndex;
      this.#rows = byId(rows as Row[]);
    }
    return { appliedIndex: this.#appliedIndex };
  }

  async apply(entries: readonly CommandEntry[]): Promise<(Answer | undefined)[]> {
    if (this.#failure !== undefined) throw this.#failure;
    const rows = this.#rows as Map<string, Row>;
    const answers = entries.map(({ command }) =>
      command === undefined ? undefined : execute(rows, decode(command)),
    );
    this.#appliedIndex = entries.at(-1)?.index ?? this.#appliedIndex;
    if (this.#appliedIndex - this.#durableIndex >= this.#saveEvery) {
      // Beside what is applied next; the node keeps its log until `durableIndex` says so.
      this.flush().catch((error: unknown) => {
        this.#failure = error;
      });
    }
    return answers;
  }

  flush(): Promise<void> {
    return this.#save(this.#appliedIndex, [...this.#rows.values()]);
  }

  /** Rows are never changed in place, so a list of them is the table as it is now. */
  snapshot(): StateSnapshot {
    const rows = [...this.#rows.values()];
    let at = 0;
    const next = async (): Promise<Uint8Array | undefined> => {
      if (at >= rows.length) return undefined;
      at += rowsPerChunk;
      return Buffer.from(textOf(rows.slice(at - rowsPerChunk, at)));
    };
    return { appliedIndex: this.#appliedIndex, next, close: async () => undefined };
  }

  async restore(appliedIndex: number, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks) parts.push(chunk.slice());
    const rows = parse(Buffer.concat(parts).toString()) as Row[];
    // Durable first: a crash leaves the old table or the new one.
    await this.#save(appliedIndex, rows);
    this.#rows = byId(rows);
    this.#appliedIndex = appliedIndex;
  }

  async close(): Promise<void> {
    await this.#saving;
  }

  #save(appliedIndex: number, rows: readonly Row[]): Promise<void> {
    const text = textOf([{ appliedIndex }, ...rows]);
    this.#saving = this.#saving.then(async () => {
      await replaceFile(this.#path, text);
      this.#durableIndex = appliedIndex;
    });
    return this.#saving;
  }
}

/** A pure function of the rows and the command: no clock, no chance, nothing from outside. */
function execute(rows: Map<string, Row>, command: Command): Answer {
  const id = command.op === 'remove' ? command.id : command.row.id;
  const before = rows.get(id);
  if (command.op === 'insert') {
    if (before !== undefined) return { done: false, why: 'exists' };
    rows.set(id, command.row);
    return { done: true, row: command.row };
  }
  if (before === undefined) return { done: false, why: 'missing' };
  if (command.op === 'remove') {
    rows.delete(id);
    return { done: true, row: before };
  }
  const row = { ...before, ...command.row };
  rows.set(id, row);
  return { done: true, row };
}

export const encode = (command: Command): Uint8Array => Buffer.from(JSON.stringify(command));
const decode = (bytes: Uint8Array): Command => JSON.parse(Buffer.from(bytes).toString());
const byId = (rows: readonly Row[]) => new Map(rows.map((row) => [row.id, row]));
