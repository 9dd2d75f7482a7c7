/**
 * Names of those who make requests. A session is opened through the log and named by the index of its
 * entry; a proposer without one draws a name. Both stand in the same field of an entry, so they must
 * not meet.
 */

/**
 * Ids of sessions are below it, names that proposers draw for themselves from it on.
 *
 * @since 0.1.0
 */
export const sessionIdEnd = 2 ** 52;
