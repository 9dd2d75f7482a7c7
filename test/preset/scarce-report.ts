// What `scarce-child.ts` says about a store whose descriptors or disk ran out.

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly outcome?: string;
}

export interface Puts {
  /** Keys. */
  readonly acknowledged: readonly string[];
  readonly failure?: Failure;
}

/** Each scenario has its own part of it. */
export interface ScarceReport {
  readonly acknowledged: readonly string[];
  /** Keys that were there in the end, after the next open if there was one. */
  readonly keys: readonly string[];
  /** While there was none left. */
  readonly during: Puts;
  /** With some again, through the store that had none. */
  readonly same: Puts;
  /** In the end. */
  readonly after: Puts;
  readonly read: 'served' | Failure;
  /** Openings that failed, in order. */
  readonly refused: readonly Failure[];
  /** Descriptors kept by openings that failed. */
  readonly leaked: number;
}
