// Folders as one small file: logs are mostly zeros written ahead, and LevelDB's files repeat themselves.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

/** Every file below a folder, by its path there; folders with a slash at the end, and no bytes. */
export function filesBelow(folder: string): Map<string, Buffer> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const named = entries.map((entry): [string, Buffer] => {
    const path = `${entry.parentPath}/${entry.name}`;
    const name = path.slice(folder.length + 1);
    return entry.isFile() ? [name, readFileSync(path)] : [`${name}/`, Buffer.alloc(0)];
  });
  return new Map(named.sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** Packs files with facts about them: JSON with base64 in it, so that any language can look inside. */
export function pack(archive: string, files: Map<string, Buffer>, facts: unknown): void {
  const named = [...files].map(([path, bytes]) => [path, bytes.toString('base64')]);
  const text = JSON.stringify({ facts, files: Object.fromEntries(named) });
  writeFileSync(archive, gzipSync(text, { level: 9 }));
}

/** Unpacks into a folder, which is created. @returns the facts */
export function unpack(archive: string, folder: string): unknown {
  const { facts, files } = JSON.parse(gunzipSync(readFileSync(archive)).toString()) as {
    facts: unknown;
    files: Record<string, string>;
  };
  for (const [path, base64] of Object.entries(files)) {
    const target = `${folder}/${path}`;
    mkdirSync(path.endsWith('/') ? target : dirname(target), { recursive: true });
    if (!path.endsWith('/')) writeFileSync(target, Buffer.from(base64, 'base64'));
  }
  return facts;
}
