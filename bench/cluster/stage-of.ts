/**
 * Which stage of a put a stack belongs to.
 */
import type { Profiler } from 'node:inspector/promises';

/** In the order of a put's walk; what belongs to no stage comes last. */
export const stages = [
  'caller',
  'store: the call',
  'node: waiters',
  'node: turns',
  'raft core',
  'codec: commands',
  'codec: messages',
  'log',
  'apply',
  'state on disk',
  'transport',
  'event loop, promises',
  'garbage collection',
  'engine (V8, native)',
] as const;

export type Stage = (typeof stages)[number];

/** The first that fits the path of a module counts. */
const modules: readonly (readonly [RegExp, Stage])[] = [
  [/bench\/cluster\//, 'caller'],
  [/src\/store\/state-/, 'apply'],
  [/src\/store\//, 'store: the call'],
  [/src\/node\/(proposals|waiter|deadlines|reads)/, 'node: waiters'],
  [/src\/node\//, 'node: turns'],
  [/src\/raft\//, 'raft core'],
  [/src\/codec\/(wire|append|snapshot)-/, 'codec: messages'],
  [/src\/storage\/(wal|node-fs)\//, 'log'],
  [/src\/mvcc\//, 'apply'],
  [/src\/storage\//, 'state on disk'],
  [/src\/transport\//, 'transport'],
  [/node:(net|internal\/stream|internal\/streams\/|_?stream)/, 'transport'],
  [/node:internal\/worker/, 'log'],
];
/** Serves both kinds of codec: who called tells which. */
const sharedCodec = /src\/codec\/|msgpackr/;

/**
 * Adds what each stage took itself. Time in parts that serve several, such as `src/base` or what the
 * platform does, counts for the nearest caller that is of one.
 *
 * @returns microseconds on the main thread by stage, idle time left out
 */
export function timeByStage(profile: Profiler.Profile): Map<Stage, number> {
  const selfUs = selfTimes(profile);
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const total = new Map<Stage, number>();
  const visit = (id: number, inherited: Stage): void => {
    const node = nodes.get(id) as Profiler.ProfileNode;
    const stage = stageOf(node.callFrame, inherited);
    if (stage !== undefined) total.set(stage, (total.get(stage) ?? 0) + (selfUs.get(id) ?? 0));
    for (const child of node.children ?? []) visit(child, stage ?? inherited);
  };
  visit((profile.nodes[0] as Profiler.ProfileNode).id, 'event loop, promises');
  return total;
}

/** Functions by the time they took themselves, longest first, as `function module`. */
export function timeByFunction(profile: Profiler.Profile): [string, number][] {
  const selfUs = selfTimes(profile);
  const total = new Map<string, number>();
  const names = new Map<number, string>();
  for (const { id, callFrame, children = [] } of profile.nodes) {
    const name = nameOf(callFrame, names.get(id));
    for (const child of children) names.set(child, name);
    if (isNoWork(callFrame)) continue;
    total.set(name, (total.get(name) ?? 0) + (selfUs.get(id) ?? 0));
  }
  return [...total].sort(([, a], [, b]) => b - a);
}

function nameOf({ functionName, url }: Profiler.ProfileNode['callFrame'], caller = '') {
  const name = functionName || '(anonymous)';
  // What is native has no place of its own.
  if (url === '') return `${name} < ${caller}`;
  return `${name} ${url.replace(/^.*(?=\/src\/)|^.*node_modules/, '')}`;
}

/** `undefined`: nothing was done. */
function stageOf(
  { functionName, url }: Profiler.ProfileNode['callFrame'],
  inherited: Stage,
): Stage | undefined {
  if (isNoWork({ functionName, url })) return undefined;
  if (functionName === '(garbage collector)') return 'garbage collection';
  if (functionName === '(program)') return 'engine (V8, native)';
  for (const [pattern, stage] of modules) if (pattern.test(url)) return stage;
  if (!sharedCodec.test(url)) return inherited;
  return inherited === 'transport' || inherited === 'codec: messages'
    ? 'codec: messages'
    : 'codec: commands';
}

/** Nothing was done, or the profile was started or ended. */
function isNoWork({
  functionName,
  url,
}: Pick<Profiler.ProfileNode['callFrame'], 'functionName' | 'url'>) {
  return functionName === '(idle)' || (functionName === 'dispatch' && url === '');
}

function selfTimes({ samples = [], timeDeltas = [] }: Profiler.Profile): Map<number, number> {
  const selfUs = new Map<number, number>();
  for (const [at, id] of samples.entries()) {
    selfUs.set(id, (selfUs.get(id) ?? 0) + (timeDeltas[at] ?? 0));
  }
  return selfUs;
}
