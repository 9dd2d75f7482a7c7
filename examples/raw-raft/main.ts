/**
 * Three members of a Raft group in one process, driven by hand: an election, commands, a handover of
 * leadership, more commands, and in the end the same on every member. `npm run example:raw-raft`.
 */
import { fileURLToPath } from 'node:url';
import { Driver } from './driver.js';

/** A group whose network is the inboxes of its members. */
class Group {
  readonly members: ReadonlyMap<number, Driver>;

  constructor(ids: readonly number[]) {
    this.members = new Map(
      ids.map((id) => [
        id,
        new Driver(id, ids, (message) => this.members.get(message.to)?.inbox.push(message)),
      ]),
    );
  }

  get leader(): Driver | undefined {
    return [...this.members.values()].find(({ node }) => node.role === 'leader');
  }

  /** Lets a tick pass everywhere, and everything that follows from it. */
  async tick(): Promise<void> {
    for (const { node } of this.members.values()) node.tick();
    await this.settle();
  }

  async settle(): Promise<void> {
    const busy = () => [...this.members.values()].some((each) => each.inbox.length > 0);
    do for (const member of this.members.values()) await member.turn();
    while (busy());
  }
}

/**
 * Runs the example.
 *
 * @param print - takes each line of the story
 * @returns what each member has applied, in order
 */
export async function run(print: (line: string) => void): Promise<readonly string[][]> {
  const group = new Group([1, 2, 3]);
  while (group.leader === undefined) await group.tick();
  const first = group.leader.node;
  print(`member ${first.id} leads term ${first.term}`);
  for (const command of ['a=1', 'b=2', 'a=3']) {
    first.propose([new TextEncoder().encode(command)]);
  }
  await group.settle();

  const heir = first.id === 3 ? 1 : 3;
  print(`member ${first.id} hands over to ${heir}`);
  first.transferLeader(heir);
  while (group.leader?.node.id !== heir) await group.tick();
  const second = group.leader.node;
  print(`member ${second.id} leads term ${second.term}`);
  second.propose([new TextEncoder().encode('c=4')]);
  await group.settle();
  await group.tick();

  for (const [id, { applied }] of group.members) print(`member ${id}: ${applied.join(', ')}`);
  return [...group.members.values()].map(({ applied }) => applied);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run(console.log);
