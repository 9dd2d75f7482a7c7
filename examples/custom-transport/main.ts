/**
 * Two members in threads of their own, connected by ports alone. `npm run example:transport`.
 */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Switchboard } from './switchboard.js';

/** Threads know nothing of TypeScript unless told; one that runs plain JavaScript needs none of it. */
const thread = `import('tsx/esm/api').then(({ tsImport }) =>
  tsImport('./member-thread.ts', '${import.meta.url}'));`;

/** What each thread heard from the other. */
export async function run(): Promise<string[]> {
  const switchboard = new Switchboard();
  const workers = [1, 2].map((member) => {
    const line = switchboard.line();
    const workerData = { line, member, peers: [1, 2] };
    return new Worker(thread, { eval: true, workerData, transferList: [line] });
  });
  const heard = await Promise.all(
    workers.map(async (worker) => (await once(worker, 'message'))[0]),
  );
  await Promise.all(workers.map((worker) => worker.terminate()));
  return heard;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const line of await run()) console.log(line);
}
