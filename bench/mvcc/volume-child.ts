/**
 * A process of its own for each measurement of P5, so that its memory is what the keyspace takes.
 *
 * Arguments: `load KEYS FOLDER` or `open KEYS FOLDER`. Tells its parent lines and a result.
 */
import { readFileSync } from 'node:fs';
import { diskBytes, MiB, memory } from '../storage/gauges.js';
import { keyOf, putAll, shuffled } from './load.js';
import { KeyspaceRig } from './rig.js';

/** What the child found. */
export interface VolumeFigures {
  readonly measure: string;
  readonly value: number;
  readonly unit: string;
}

/**
 * Memory of this process in bytes, after everything that can go went. LevelDB maps its tables, so what
 * was read of them counts as resident; these pages are the system's cache, which it takes back at will.
 */
function resident(): { readonly all: number; readonly own: number; readonly peak: number } {
  memory();
  const status = readFileSync('/proc/self/status', 'utf8');
  const bytes = (name: string): number =>
    1_024 * Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
  return { all: bytes('VmRSS'), own: bytes('RssAnon'), peak: bytes('VmHWM') };
}

function residentFigures(when: string): VolumeFigures[] {
  const { all, own, peak } = resident();
  const unit = 'MiB';
  return [
    { measure: `resident, ${when}`, value: all / MiB, unit },
    { measure: `  without the pages of mapped tables`, value: own / MiB, unit },
    { measure: `  at most until then`, value: peak / MiB, unit },
  ];
}

async function load(keys: number, folder: string): Promise<VolumeFigures[]> {
  const rig = await KeyspaceRig.open(folder);
  const start = performance.now();
  const parts = 20;
  for (let part = 0; part < parts; part += 1) {
    await putAll(rig, (keys / parts) * part, (keys / parts) * (part + 1));
    const perSecond = ((keys / parts) * (part + 1)) / ((performance.now() - start) / 1_000);
    const resident = process.memoryUsage.rss() / MiB;
    process.send?.(
      `  ${((part + 1) * 100) / parts} %, ${(perSecond / 1_000).toFixed(1)} k puts/s, ` +
        `${resident.toFixed(0)} MiB resident`,
    );
  }
  await rig.backend.flush();
  const perSecond = keys / ((performance.now() - start) / 1_000);
  const figures = residentFigures('loaded');
  await rig.close();
  return [{ measure: 'loading, puts', value: perSecond, unit: '1/s' }, ...figures];
}

async function open(keys: number, folder: string): Promise<VolumeFigures[]> {
  const start = performance.now();
  const rig = await KeyspaceRig.open(folder, { verify: true });
  const { kvs } = await rig.get(keyOf(keys - 1));
  const firstRead = performance.now() - start;
  if (kvs.length !== 1) throw new Error(`expected key ${keys - 1} to be there`);
  const opened = residentFigures('opened');
  for (let nth = 0; nth < 200_000; nth += 1) await rig.get(keyOf(shuffled(nth, keys)));
  for (let nth = 0; nth < 1_000; nth += 1) await rig.range(keyOf(shuffled(nth, keys)), 100);
  const used = residentFigures('after 200,000 gets and 1,000 ranges');
  await rig.close();
  return [
    { measure: 'open to first read', value: firstRead, unit: 'ms' },
    ...opened,
    ...used,
    { measure: 'state on disk', value: diskBytes(folder) / MiB, unit: 'MiB' },
  ];
}

const [mode, keys, folder] = process.argv.slice(2) as [string, string, string];
process.send?.(await (mode === 'load' ? load : open)(Number(keys), folder));
process.disconnect?.();
