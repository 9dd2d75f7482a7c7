/**
 * What the processes of a run under real faults say to each other. Times are microseconds of the
 * system's monotonic clock, which all processes of the machine share.
 */
import type { MemberStatus } from '../../src/node/index.js';
import type { RegisterInput } from '../../src/testing/index.js';

/** Where a member is, and how it finds the others. Addresses are those of the proxies before them. */
export interface MemberPlace {
  readonly listen: string;
  /** Of all that found the cluster; `undefined` for one that joins it. */
  readonly cluster?: Readonly<Record<string, string>> | undefined;
  /** Whom one that joins asks. */
  readonly join?: readonly string[] | undefined;
  /** Paths of PEM files. */
  readonly tls?: Readonly<Record<'ca' | 'cert' | 'key', string>> | undefined;
}

/** What a member's process is told at its start. */
export interface MemberOptions extends MemberPlace {
  readonly name: string;
  readonly dir: string;
  readonly timeoutMs: number;
  readonly readTimeoutMs: number;
  readonly clients: number;
  readonly keys: number;
  /** Tells values of different lives of a member apart. */
  readonly life: number;
  /** Where its watch goes on. */
  readonly fromRevision: number;
}

/** How a member's disk behaves. */
export type DiskState = 'fine' | 'full' | 'slow';

export type Request =
  | { readonly do: 'load'; readonly on: boolean }
  | { readonly do: 'disk'; readonly state: DiskState }
  | { readonly do: 'status'; readonly id: number }
  | { readonly do: 'contents'; readonly id: number }
  | { readonly do: 'members'; readonly id: number; readonly call: MembersCall }
  | { readonly do: 'backup'; readonly id: number; readonly path: string }
  /** Gently: its clients have had all their answers before. */
  | { readonly do: 'close'; readonly isGentle: boolean };

/** What is asked of a store's members, by name. */
export type MembersCall =
  | { readonly op: 'list' }
  | { readonly op: 'add'; readonly name: string; readonly address: string }
  | { readonly op: 'remove'; readonly member: string }
  | { readonly op: 'replace'; readonly member: string; readonly learner: string }
  | { readonly op: 'update'; readonly member: string; readonly address: string };

/** What a member answers about itself. */
export interface StatusReport {
  readonly leader: string | undefined;
  /** Of a linearizable read. */
  readonly revision: number;
  /** Calls that were made and have not settled. */
  readonly pending: number;
  readonly residentBytes: number;
}

/** One change as a watch shows it; `null`: deleted. */
export interface Change {
  readonly revision: number;
  readonly key: string;
  readonly value: string | null;
}

export type Outcome = 'ok' | 'rejected' | 'unknown';

export type Notice =
  | { readonly tell: 'open' }
  | { readonly tell: 'refused'; readonly code: string }
  | { readonly tell: 'failed'; readonly code: string }
  | {
      readonly tell: 'call';
      readonly call: string;
      readonly client: string;
      readonly key: string;
      readonly input: RegisterInput;
      readonly at: number;
    }
  | {
      readonly tell: 'return';
      readonly call: string;
      readonly at: number;
      readonly outcome: Outcome;
      readonly code?: string;
      /** Of a read: what it found. */
      readonly value?: string | null;
      /** Of a compare-and-swap. */
      readonly swapped?: boolean;
      /** Of a write: the revision it was given. */
      readonly revision?: number;
    }
  | { readonly tell: 'changes'; readonly changes: readonly Change[] }
  | { readonly tell: 'watch-ended'; readonly code: string }
  | { readonly tell: 'status'; readonly id: number; readonly report: StatusReport | undefined }
  | {
      readonly tell: 'contents';
      readonly id: number;
      readonly contents: readonly (readonly [string, string])[];
    }
  /** After the call, unless it failed. */
  | {
      readonly tell: 'members';
      readonly id: number;
      readonly members?: readonly MemberStatus[];
      readonly code?: string;
    }
  | { readonly tell: 'backup'; readonly id: number; readonly revision: number };

/** Microseconds now. */
export function nowUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}
