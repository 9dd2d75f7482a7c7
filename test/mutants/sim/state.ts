/** Defects of the durable keyspace: the batch with its index, the chain of flushes, the overlay. */
import type { SimDefect } from './sim-defect.js';

export const state: readonly SimDefect[] = [
  {
    name: 'state: the applied index is durable before its data (applied-index-first)',
    source: '13766, S2',
    file: 'storage/flush-writer.ts',
    find: '    await engine.write(batch, { sync: true, pause });\n',
    replace:
      "      const all = [...batch];\n      const own = all.filter(([key]) => key[0] === 'b' || key[0] === 'f');\n      await engine.write(own, { sync: true, pause });\n      await engine.write(all, { sync: true, pause });\n",
  },
  {
    name: 'state: the data is durable before its applied index',
    source: '14685, S2',
    file: 'storage/flush-writer.ts',
    find: '    await engine.write(batch, { sync: true, pause });\n',
    replace:
      "      const all = [...batch];\n      const data = all.filter(([key]) => key[0] !== 'b' && key[0] !== 'f');\n      await engine.write(data, { sync: true, pause });\n      await engine.write(all, { sync: true, pause });\n",
  },
  {
    name: 'state: a flush is not synced',
    source: 'S2, S7',
    file: 'storage/flush-writer.ts',
    find: '    await engine.write(batch, { sync: true, pause });\n',
    replace: '    await engine.write(batch, { sync: false, pause });\n',
  },
  {
    name: 'state: a failed flush is taken for durable',
    source: 'S4',
    file: 'storage/write-behind.ts',
    find: '      this.#inFlight = undefined;\n      this.#fail(error);\n      return;\n    }\n',
    replace: '      void error;\n    }\n',
  },
  {
    name: 'state: a flush that found no space counts as written once there is some',
    source: 'S4',
    profile: 'disk',
    file: 'storage/flush-writer.ts',
    find: 'return found > seq;',
    replace: 'return true;',
  },
  {
    name: 'state: durable up to what is applied, not to what was flushed',
    source: 'S7',
    profile: 'focus-state',
    file: 'storage/write-behind.ts',
    find: '    this.#durableIndex = to;\n',
    replace: '    this.#durableIndex = this.#appliedIndex;\n',
  },
  {
    name: 'state: a hole in the chain of flushes is not noticed',
    source: 'reliability §0.6',
    file: 'storage/flush-chain-reading.ts',
    find: '    else checkLink(this.#last, record);\n',
    replace: '',
  },
  {
    name: 'state: a chain that lost its end is not noticed',
    source: 'reliability §0.6',
    file: 'storage/flush-chain-reading.ts',
    find: '    if (last.to !== applied) {',
    replace: '    if (last.to > applied) {',
    equivalent: 'index and proof are in one batch, so the engine loses both or none',
  },
  {
    name: 'state: reads pass over what is being flushed',
    source: 'DESIGN 4.11',
    file: 'storage/write-behind.ts',
    find: '    if (held === undefined) held = heldIn(this.#flushing, key);\n',
    replace: '',
  },
  {
    name: 'state: reads of ranges pass over what is being flushed',
    source: 'DESIGN 4.11',
    file: 'storage/write-behind.ts',
    find: '    const layers = [...this.#sealed, ...this.#flushing];\n    const { gte, lt, reverse',
    replace: '    const layers = [...this.#sealed];\n    const { gte, lt, reverse',
  },
  {
    name: 'state: an older layer overrides a newer one in a flush',
    source: 'DESIGN 4.11',
    file: 'storage/layers.ts',
    find: '      if (newer.length > 0 && newer.some((layer) => overrides(layer, key))) continue;\n',
    replace: '',
    equivalent:
      'the newer layer comes behind it in the same batch, and the last change of a key counts',
  },
  {
    name: 'state: changes of history that wait are not walked by a flush',
    source: 'ADR 0005',
    file: 'storage/appended-changes.ts',
    find: '    return [...this.#indexed.walks(), pairsOf(this.#keys, this.#records, this.#at)];\n',
    replace: '    return this.#indexed.walks();\n',
  },
  {
    name: 'state: reads of ranges pass over changes of history that wait',
    source: 'ADR 0005',
    file: 'storage/appended-changes.ts',
    find: '  addCursors(range: RangeRead, cursors: ChangeCursor[]): void {\n    this.#index();\n',
    replace: '  addCursors(range: RangeRead, cursors: ChangeCursor[]): void {\n',
  },
  {
    name: 'state: what takes several turns to look up is not looked up in what is being flushed',
    source: 'ADR 0005',
    profile: 'focus-state',
    elsewhere:
      'test/storage/write-behind-model: a flush is short in a simulation, and has to be under way',
    file: 'storage/write-behind.ts',
    find: '    const layers = [...this.#sealed, ...this.#flushing];\n    const unknown',
    replace: '    const layers = [...this.#sealed];\n    const unknown',
  },
  {
    name: 'state: what takes several turns to look up is asked of the engine after them',
    source: 'ADR 0005',
    profile: 'focus-state',
    elsewhere:
      'test/storage/write-behind-model: a flush has to end within the turns of the look-up',
    file: 'storage/write-behind.ts',
    find: '    const below = this.#readNow(plan, unknown);\n',
    replace:
      '    const below = prepareLayers(layers, this.pause)?.then(() => this.#readNow(plan, unknown)) ?? this.#readNow(plan, unknown);\n',
  },
  {
    name: 'state: what goes ahead of a flush is not synced',
    source: 'ADR 0005',
    file: 'storage/flush-writer.ts',
    find: '      await engine.write(chain.ahead(putsOf(ahead, flushed)), { sync: true, pause });\n',
    replace:
      '      await engine.write(chain.ahead(putsOf(ahead, flushed)), { sync: false, pause });\n',
  },
  {
    name: 'state: history that cannot go ahead of a flush is not in its rest either',
    source: 'ADR 0005',
    file: 'storage/change-layer.ts',
    find: '    this.#parts = [this.#overlay, ...lists, this.#ahead];\n',
    replace:
      '    this.#parts = [this.#overlay, ...lists.filter((one) => one !== this.#late), this.#ahead];\n',
  },
  {
    name: 'state: a flush does not tell how far history went with it',
    source: 'ADR 0005',
    file: 'storage/ahead-proofs.ts',
    find: '    if (bytes !== undefined && key > this.#top) this.#top = key;\n',
    replace: '',
  },
  {
    name: 'state: what went ahead of a flush that was cut short stays',
    source: 'ADR 0005',
    elsewhere:
      'test/storage/flush-ahead: the log applies the same entries again, and then it is due',
    file: 'storage/flush-chain.ts',
    find: '    await removeAbove(reading.last.top, engine);\n',
    replace: '',
  },
  {
    name: 'state: a put goes ahead of a deletion of its key',
    source: 'ADR 0005',
    elsewhere:
      'test/storage/flush-ahead: the keyspace puts no key of history again that it deleted',
    file: 'storage/change-layer.ts',
    find: '    this.#highest = key;\n    return bytes !== undefined;\n',
    replace: '    if (bytes !== undefined) this.#highest = key;\n    return bytes !== undefined;\n',
  },
  {
    name: 'state: a deletion that was flushed is not taken note of',
    source: 'ADR 0022',
    profile: 'focus-state',
    file: 'storage/flushed-records.ts',
    find: '    if (key.charCodeAt(0) !== this.#unit) return;\n',
    replace: '    if (key.charCodeAt(0) !== this.#unit || bytes === null) return;\n',
  },
  {
    name: 'state: what was flushed lately is told in place of what was flushed since',
    source: 'ADR 0022',
    profile: 'focus-state',
    file: 'storage/flushed-records.ts',
    find: '    this.#young.set(key, bytes && this.#own(bytes));\n',
    replace: '    if (!this.#young.has(key)) this.#young.set(key, bytes && this.#own(bytes));\n',
  },
  {
    name: 'state: an older generation of flushed records overrides the newer one',
    source: 'ADR 0022',
    profile: 'focus-state',
    file: 'storage/flushed-records.ts',
    find: '    const young = this.#young.get(key);\n    return young === undefined ? this.#old.get(key) : young;\n',
    replace:
      '    const old = this.#old.get(key);\n    return old === undefined ? this.#young.get(key) : old;\n',
  },
  {
    name: 'state: a flush forgets what was sealed for a snapshot',
    source: 'S5',
    file: 'storage/write-behind.ts',
    find: '    const layers = [this.#active, ...this.#sealed];\n',
    replace: '    const layers = [this.#active];\n',
  },
];
