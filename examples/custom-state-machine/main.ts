/**
 * Three members of one process replicate a table: rows from everywhere, a job for whoever leads, and a
 * member that is stopped and started again. `npm run example:table`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type MachineNode, openNode } from '../../src/index.js';
import { freeAddresses } from '../failover/free-ports.js';
import { type Answer, encode, Table } from './table.js';

interface Member {
  readonly table: Table;
  readonly node: MachineNode<Answer>;
}

const names = ['a', 'b', 'c'] as const;

/**
 * Runs the example.
 *
 * @param root - folder of the members
 * @param print - takes each line of the story
 * @returns the tables in the end
 */
export async function run(root: string, print: (line: string) => void): Promise<Table[]> {
  const addresses = await freeAddresses(names.length);
  const cluster = Object.fromEntries(names.map((name, at) => [name, addresses[at] as string]));
  const start = async (name: string): Promise<Member> => {
    const dir = join(root, name);
    const table = new Table(join(dir, 'table', 'rows'), 50);
    return { table, node: await openNode({ stateMachine: table, name, dir, cluster }) };
  };
  const members = new Map<string, Member>();
  for (const name of names) members.set(name, await start(name));
  const member = (name: string) => members.get(name) as Member;
  try {
    await insertEverywhere([...members.values()], print);
    const led = await Promise.race(names.map((name) => lead(name, member(name))));
    print(`${led.name} leads term ${led.term}: ${led.answer}`);

    // A member goes, the others go on, and it comes back with its file and what the log has since.
    await member('c').node.close();
    await member('a').node.propose(encode({ op: 'remove', id: 'row-1' }));
    members.set('c', await start('c'));
    print(`c is back with ${member('c').table.size} rows of its own`);
    await member('c').node.readIndex();
    print(`c has caught up: row-1 is ${JSON.stringify(member('c').table.get('row-1') ?? 'gone')}`);
    for (const { node } of members.values()) await node.readIndex();
    return names.map((name) => member(name).table);
  } finally {
    await Promise.all([...members.values()].map(({ node }) => node.close()));
  }
}

async function insertEverywhere(members: readonly Member[], print: (line: string) => void) {
  const inserts = Array.from({ length: 120 }, (_, at) => {
    const { node } = members[at % members.length] as Member;
    // The first thirty ids come twice: one of the two callers is told that it exists.
    const row = { id: `row-${at % 90}`, by: at };
    return node.propose(encode({ op: 'insert', row }));
  });
  const answers = await Promise.all(inserts);
  const done = answers.filter((answer) => answer.done).length;
  print(`${done} of ${answers.length} inserts done, the others exist`);
}

/** What only one may do at a time: the term goes along, so that a late one can be told apart. */
async function lead(name: string, { node, table }: Member) {
  for await (const { term, lost } of node.leadership()) {
    if (lost.aborted) continue;
    const row = { id: 'report', rows: table.size, term };
    const { done } = await node.propose(encode({ op: 'insert', row }), { signal: lost });
    return { name, term, answer: done ? 'the report is written' : 'there is a report' };
  }
  return new Promise<never>(() => undefined);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = await mkdtemp(join(tmpdir(), 'kontiki-table-'));
  await run(root, (line) => console.log(line)).finally(() => rm(root, { recursive: true }));
}
