/** One message of every kind and shape, for whatever has to carry them all. */
import type { WireMessage } from '../../codec/wire-message.js';

const base = { from: 1, to: 2 ** 53 - 1, term: 7 };
const last = { term: 6, index: 2 ** 32 + 5 };

/** By what is special about them. @since 0.1.0 */
export const wireSamples: Readonly<Record<string, WireMessage>> = {
  'append-request': {
    ...base,
    kind: 'append-request',
    previous: { term: 5, index: 300 },
    entries: [
      { term: 5, index: 301, type: 'normal', data: Uint8Array.of(1, 2, 3) },
      { term: 7, index: 302, type: 'config-change', data: new Uint8Array(0) },
      { term: 7, index: 303, type: 'config-change-v2', data: new Uint8Array(300).fill(0xfe) },
    ],
    commit: 299,
  },
  'append-request, empty': {
    ...base,
    kind: 'append-request',
    previous: { term: 0, index: 0 },
    entries: [],
    commit: 0,
  },
  'append-response': { ...base, kind: 'append-response', index: 70_000 },
  'append-response, rejected': { ...base, kind: 'append-response', index: 70_000, hint: last },
  'heartbeat-request': {
    ...base,
    kind: 'heartbeat-request',
    commit: 2 ** 53 - 1,
    reads: 3,
    sentAt: 0,
  },
  'heartbeat-response': { ...base, kind: 'heartbeat-response', reads: 300, sentAt: 86_400_000 },
  'vote-request': { ...base, kind: 'vote-request', last },
  'vote-request, transfer': { ...base, kind: 'vote-request', last, transfer: true },
  'vote-request, with a commit': {
    ...base,
    kind: 'vote-request',
    last,
    transfer: true,
    commit: { term: 5, index: 300 },
  },
  'vote-response': { ...base, kind: 'vote-response', granted: true },
  'vote-response, with a commit': { ...base, kind: 'vote-response', granted: false, commit: last },
  'pre-vote-request': { ...base, kind: 'pre-vote-request', last: { term: 0, index: 0 } },
  'pre-vote-request, with a commit': { ...base, kind: 'pre-vote-request', last, commit: last },
  'pre-vote-response': { ...base, kind: 'pre-vote-response', granted: false },
  'forward-request': {
    ...base,
    kind: 'forward-request',
    id: 12,
    commands: [Uint8Array.of(9), Uint8Array.of()],
  },
  'forward-refusal': { ...base, kind: 'forward-refusal', id: 12, code: 'PROPOSAL_DROPPED' },
  'read-request': { ...base, kind: 'read-request', readId: 2 ** 40 },
  'read-response': { ...base, kind: 'read-response', readId: 2 ** 40, index: 70_000 },
  'snapshot-request': {
    ...base,
    kind: 'snapshot-request',
    snapshot: {
      last,
      configuration: {
        voters: [1, 2],
        votersOutgoing: [2, 2 ** 53 - 1],
        learners: [70_000],
        learnersNext: [2 ** 53 - 1],
        autoLeave: true,
      },
      data: Uint8Array.of(0, 255),
    },
  },
  'timeout-now': { ...base, kind: 'timeout-now' },
  'transfer-request': { ...base, kind: 'transfer-request', transferee: 300 },
  'propose-request': {
    ...base,
    term: 0,
    kind: 'propose-request',
    proposals: [
      { type: 'normal', data: Uint8Array.of(1) },
      { type: 'config-change-v2', data: new Uint8Array(0) },
    ],
  },
  'ask-request': { ...base, kind: 'ask-request', id: 300, data: Uint8Array.of(1, 255) },
  'ask-response': { ...base, kind: 'ask-response', id: 300, data: new Uint8Array(0) },
  'ask-response, refused': { ...base, kind: 'ask-response', id: 300 },
  'snapshot-chunk': {
    ...base,
    kind: 'snapshot-chunk',
    id: 2 ** 40,
    at: 3,
    isLast: false,
    data: Uint8Array.of(1, 2),
  },
  'snapshot-ack': { ...base, kind: 'snapshot-ack', id: 2 ** 40, next: 4, state: 'installing' },
};
