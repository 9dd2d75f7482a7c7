/** How much history is kept: what option `history` of a store comes to. */

/**
 * All of it; what was current in the last `ms` milliseconds; or the newest `revisions`.
 *
 * @since 0.1.0
 */
export type HistoryKeep = 'all' | { readonly ms: number } | { readonly revisions: number };
