/** P5: many keys. What they take in memory and on disk, and how long it takes to open them. */
import { fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { VolumeFigures } from './volume-child.js';

const child = fileURLToPath(new URL(`./volume-child${extname(import.meta.url)}`, import.meta.url));

/** Loads `keys` keys into a new keyspace in `folder`, then opens it in another process. */
export async function volume(folder: string, keys: number): Promise<readonly VolumeFigures[]> {
  const path = `${folder}/volume`;
  const loaded = await inChild(['load', String(keys), path]);
  return [...loaded, ...(await inChild(['open', String(keys), path]))];
}

function inChild(args: readonly string[]): Promise<readonly VolumeFigures[]> {
  return new Promise((resolve, reject) => {
    const running = fork(child, args);
    let figures: readonly VolumeFigures[] | undefined;
    running.on('message', (message: string | readonly VolumeFigures[]) => {
      if (typeof message === 'string') console.log(message);
      else figures = message;
    });
    running.on('error', reject);
    running.on('exit', (code) => {
      if (figures !== undefined && code === 0) resolve(figures);
      else reject(new Error(`${args.join(' ')}: ended with ${code}`));
    });
  });
}
