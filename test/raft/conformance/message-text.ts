/**
 * How a scenario file shows messages, the work of the two storage threads among them (conformance §5).
 */
import type {
  Entry,
  LogId,
  Message,
  Proposal,
  Snapshot,
  StorageAppend,
} from '../../../src/raft/index.js';
import { type Flight, type Thread, typeOf } from './flight.js';
import type { Relabelling } from './relabelling.js';
import type { ScenarioText } from './scenario-text.js';

/** Fields of a message as they are shown; those that are zero by default are absent. */
interface Shown {
  readonly from: number | Thread;
  readonly to: number | Thread;
  readonly type: string;
  readonly term: number;
  readonly log?: LogId;
  readonly rejectHint?: number;
  readonly commit?: number;
  readonly vote?: number;
  readonly entries?: readonly (Entry | Proposal)[];
  readonly snapshot?: Snapshot | undefined;
  readonly responses?: readonly Flight[];
}

export class MessageText {
  readonly #names: Relabelling;
  readonly #text: ScenarioText;
  readonly #contextOf: (readId: number) => Uint8Array;

  /** @param contextOf - what the file calls a read */
  constructor(names: Relabelling, text: ScenarioText, contextOf: (readId: number) => Uint8Array) {
    this.#names = names;
    this.#text = text;
    this.#contextOf = contextOf;
  }

  /** A message, over one line or several. */
  flight(flight: Flight): string {
    return this.#message(this.#shown(flight), '');
  }

  /** The write of a `Ready` as the message that asynchronous mode makes of it. */
  storageAppend(member: number, append: StorageAppend, responses: readonly Flight[]): string {
    const { hardState, entries, snapshot } = append;
    const state = hardState ?? { term: 0, vote: 0, commit: 0 };
    const shown = { from: member, to: 'AppendThread', type: 'MsgStorageAppend' } as const;
    return this.#message({ ...shown, ...state, entries, snapshot, responses }, '');
  }

  storageApply(member: number, entries: readonly Entry[], responses: readonly Flight[]): string {
    const shown = { from: member, to: 'ApplyThread', type: 'MsgStorageApply', term: 0 } as const;
    return this.#message({ ...shown, entries, responses }, '');
  }

  #shown(flight: Flight): Shown {
    const { message } = flight;
    const { from, to, term } = message;
    return { from, to, type: typeOf(flight), term, ...this.#fields(message, flight) };
  }

  #fields(message: Message, flight: Flight): Partial<Shown> {
    switch (message.kind) {
      case 'append-request':
        return { log: message.previous, commit: message.commit, entries: message.entries };
      case 'append-response': {
        const { index, hint } = message;
        if (hint === undefined) return { log: { term: 0, index } };
        return { log: { term: hint.term, index }, rejectHint: hint.index };
      }
      case 'heartbeat-request':
        return { commit: message.commit };
      case 'vote-request':
      case 'pre-vote-request':
        return { log: message.last };
      case 'vote-response':
      case 'pre-vote-response':
        return message.granted ? {} : { rejectHint: 0 };
      case 'snapshot-request':
        return { snapshot: message.snapshot };
      case 'transfer-request':
        // The reference names the member that is to lead as the sender.
        return { from: message.transferee };
      case 'propose-request':
        return { entries: message.proposals };
      case 'read-request':
        return { entries: [this.#read(message.readId)] };
      case 'read-response':
        return { log: { term: 0, index: message.index }, entries: [this.#read(message.readId)] };
      case 'storage-append-response':
        return { from: 'AppendThread', log: message.last, snapshot: flight.snapshot };
      case 'storage-apply-response':
        return { from: 'ApplyThread', entries: flight.entries ?? [] };
      case 'heartbeat-response':
      case 'timeout-now':
        return {};
    }
  }

  #read(readId: number): Proposal {
    return { type: 'normal', data: this.#contextOf(readId) };
  }

  #message(shown: Shown, indent: string): string {
    const names = this.#names;
    const { type, term, log = { term: 0, index: 0 }, rejectHint, commit = 0, vote = 0 } = shown;
    let text = `${indent}${this.#end(shown.from)}->${this.#end(shown.to)} ${type}`;
    text += ` Term:${names.shownTerm(term)} Log:${this.#text.logId(log)}`;
    if (rejectHint !== undefined) text += ` Rejected (Hint: ${names.shownIndex(rejectHint)})`;
    if (commit !== 0) text += ` Commit:${names.shownIndex(commit)}`;
    if (vote !== 0) text += ` Vote:${names.label(vote)}`;
    text += this.#entries(shown.entries ?? [], indent);
    if (shown.snapshot !== undefined) {
      text += `\n${indent}  Snapshot: ${this.#text.snapshot(shown.snapshot)}`;
    }
    return text + this.#responses(shown.responses ?? [], indent);
  }

  #entries(entries: readonly (Entry | Proposal)[], indent: string): string {
    const lines = entries.map((entry) => this.#text.entry(entry));
    if (lines.length <= 1) return lines.length === 0 ? '' : ` Entries:[${lines[0]}]`;
    return ` Entries:[${lines.map((line) => `\n${indent}  ${line}`).join('')}\n${indent}]`;
  }

  #responses(responses: readonly Flight[], indent: string): string {
    if (responses.length === 0) return '';
    const lines = responses.map((each) => `\n${this.#message(this.#shown(each), `${indent}  `)}`);
    return ` Responses:[${lines.join('')}\n${indent}]`;
  }

  #end(end: number | Thread): string {
    if (typeof end === 'string') return end;
    return end === 0 ? 'None' : this.#names.label(end).toString(16);
  }
}
