/** Defects of the core: windows, pauses and budgets. */
import type { Defect } from '../defect.js';

export const flow: readonly Defect[] = [
  {
    name: 'flow: the window leaks bytes (H25)',
    file: 'progress.ts',
    find: '    this.inflights.reset();\n',
    replace: '',
  },
  {
    name: 'flow: a reset keeps the bytes',
    file: 'inflights.ts',
    find: '    this.#head = 0;\n    this.#bytes = 0;\n',
    replace: '    this.#head = 0;\n',
  },
  {
    name: 'flow: bytes do not fill the window',
    file: 'inflights.ts',
    find: 'this.count >= this.#countMax || this.#bytes >= this.#bytesMax',
    replace: 'this.count >= this.#countMax',
  },
  {
    name: 'flow: acknowledged messages stay in the window',
    file: 'replication.ts',
    find: '      progress.inflights.freeTo(index);\n',
    replace: '',
  },
  {
    name: 'flow: an empty probe pauses (A-14)',
    file: 'progress.ts',
    find: 'if (count > 0) this.flowPaused = true;',
    replace: 'this.flowPaused = true;',
  },
  {
    name: 'flow: a heartbeat does not wake a full window (H26)',
    file: 'leader.ts',
    find: "progress.match < raft.log.lastIndex || progress.state === 'probe'",
    replace: "progress.state === 'probe'",
  },
  {
    name: 'flow: a heartbeat does not wake a probe (H21)',
    file: 'leader.ts',
    find: "progress.match < raft.log.lastIndex || progress.state === 'probe'",
    replace: 'progress.match < raft.log.lastIndex',
  },
  {
    name: 'flow: a heartbeat answer does not unpause',
    file: 'leader.ts',
    find: '  progress.flowPaused = false;\n',
    replace: '',
  },
  {
    name: 'flow: messages of any size',
    file: 'replication.ts',
    find: 'log.entriesFrom(progress.next, raft.config.appendBytesMax)',
    replace: 'log.entriesFrom(progress.next, Infinity)',
  },
  {
    name: 'flow: a lost stream goes on',
    file: 'replication.ts',
    find: "  if (progress?.state === 'replicate') progress.becomeProbe();\n}",
    replace: '  progress?.maybeUpdate(0);\n}',
  },
  {
    name: 'flow: loaded entries are not sent',
    file: 'replication.ts',
    find: '    progress.fetching = undefined;\n    if (raft.role',
    replace: '    if (raft.role',
  },
  {
    name: 'limit: unapplied bytes are not given back',
    file: 'raft.ts',
    find: '      this.uncommittedBytes = Math.max(0, this.uncommittedBytes - message.payloadBytes);\n',
    replace: '',
  },
  {
    name: 'limit: the first proposal may be refused',
    file: 'propose.ts',
    find: 'if (uncommittedBytes > 0 && bytes > 0 &&',
    replace: 'if (bytes > 0 &&',
  },
  {
    name: 'limit: the budget of apply is not kept',
    file: 'log.ts',
    find: 'const room = this.#applyBytesMax - this.#applyingBytes;',
    replace: 'const room = Infinity;',
  },
  {
    name: 'limit: pages overlap (H28)',
    file: 'log.ts',
    find: 'this.#applyingBytes >= this.#applyBytesMax || this.applying < this.#applicable;',
    replace: 'this.#applyingBytes >= this.#applyBytesMax;',
  },
];
