/**
 * What a session is to the keyspace (DESIGN §4.8): the requests of one process, numbered, so that a
 * request that comes twice is executed once.
 */

/** Name of a request, as its entry carries it. @since 0.1.0 */
export interface SessionRequest {
  /** Id of a session; from `sessionIdEnd` on, of none: the request is executed as it comes. */
  readonly session: number;
  /** Running number in the session, from 1. */
  readonly seq: number;
  /** Every request below this one is settled for whoever made it: its answer is not asked for again. */
  readonly doneBelow: number;
}

/** Opens a session, whose id is the index of the entry. @since 0.1.0 */
export interface SessionOpenCommand {
  readonly op: 'session-open';
}

/** @since 0.1.0 */
export interface SessionOpenResult {
  readonly op: 'session-open';
  /** The current one, which a session does not change. */
  readonly revision: number;
  /** Its id. */
  readonly session: number;
}
