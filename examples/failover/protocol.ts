/**
 * What the demo's parent and its members say to each other over the IPC channel. Only paths travel:
 * a member reads the file itself.
 */

/** A key and the file whose bytes are its value. */
export interface Item {
  readonly key: string;
  readonly path: string;
}

/** How the puts of one request went. */
export interface PutReport {
  /** Milliseconds each acknowledged put took. */
  readonly latenciesMs: readonly number[];
  /** Puts that failed with outcome `rejected`, and why. */
  readonly rejected: readonly FailedPut[];
  /** Puts that failed with outcome `unknown`, and why. */
  readonly unknown: readonly FailedPut[];
}

export interface FailedPut {
  readonly item: Item;
  readonly code: string;
}

/** What a member knows of the leader, and what its watcher saw so far. */
export interface StatusReport {
  readonly leader: string | undefined;
  /** Of a linearizable read: every write acknowledged anywhere before the request is in it. */
  readonly revision: number;
  readonly events: number;
  /** The first revision that came twice, out of order or not at all, in words. */
  readonly watchFault: string | undefined;
}

/** Which keys of a member differ from the files. */
export interface CompareReport {
  readonly different: readonly string[];
}

/** Requests by name, with what they take and what they answer. */
export interface Calls {
  put: { readonly argument: readonly Item[]; readonly answer: PutReport };
  status: { readonly argument: null; readonly answer: StatusReport };
  compare: { readonly argument: readonly Item[]; readonly answer: CompareReport };
  countKeys: { readonly argument: null; readonly answer: number };
  close: { readonly argument: null; readonly answer: null };
}

export type CallName = keyof Calls;

export interface Request {
  readonly id: number;
  readonly name: CallName;
  readonly argument: unknown;
}

/** What a member says unasked. */
export type Notice =
  | { readonly notice: 'open' }
  /** The first put this member acknowledged under a new leader. */
  | { readonly notice: 'serving'; readonly leader: string; readonly atMs: number };

export type Reply =
  | Notice
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: string };
