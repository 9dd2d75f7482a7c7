/** What the demo's parent and its members say to each other over the IPC channel. */

/** A job as it stands in the store. */
export interface Job {
  readonly number: number;
  /** Name of the member that led. */
  readonly by: string;
  /** The fencing token it was done with. */
  readonly token: number;
}

/** What a member says. */
export type Notice =
  | { readonly kind: 'open' }
  /** It was elected. */
  | { readonly kind: 'leads'; readonly token: number }
  /** Its leadership is over, for this reason. */
  | { readonly kind: 'lost'; readonly reason: string }
  /** It saw that a job was done, by whomever. */
  | { readonly kind: 'job'; readonly job: Job };

/** What it is told to do. */
export type Order = 'resign' | 'close';
