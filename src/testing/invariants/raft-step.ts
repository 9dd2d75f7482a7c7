/**
 * What the invariants of Raft are told: every moment at which something could be wrong. A harness
 * reports steps in the order in which they happen; `RaftChecker.observe` takes them.
 */
import type { MessageView } from './message-view.js';
import type { ConfigurationView, NodeView } from './node-view.js';

interface Plain<K extends string> {
  readonly kind: K;
  /** Virtual time in microseconds. */
  readonly atUs: number;
  readonly member: NodeView;
}

/**
 * One observation. What each kind means, and when to report it:
 *
 * - `start`: the process started, for the first time or again; before it does anything.
 * - `crash`: the process is gone; `member.durable` is what is left.
 * - `state`: it handled an input; any field of the view may have changed.
 * - `log`: entries from `from` on were written, in place of whatever was there; the log now ends at
 *   `member.lastIndex`. After the `state` of the input that led to it.
 * - `snapshot`: a snapshot that ends at `index` replaced the whole log. Before any `log` behind it.
 * - `durable`: a write reached the disk.
 * - `sent`: a message left for another member: after what it waited for, before it arrives.
 * - `received`: a message arrived; before it is handled. The next `state` is what it led to, and comes
 *   even if it was refused.
 * - `applied`: the state machine applied an entry, whose hash is `hash`; its own state has the hash
 *   `state` now, where that is known. With `configuration` when the entry changed who belongs to the
 *   group.
 * - `configured`: an entry made this the configuration, before it is `applied`; or, if `found`, a start
 *   or a snapshot has it at this index. With `list` where more than ids belongs to it: bytes that are equal when
 *   the members, their names and their addresses are. For harnesses that know it before they apply.
 * - `installed`: the state machine is now that of the snapshot at `index`; `state` as in `applied`.
 * - `read-asked`, `read-answered`: a linearizable read began; it may be served at `index`. Numbers of
 *   reads are never used twice by a member. Whatever was applied anywhere before a read began counts
 *   as acknowledged to somebody.
 * - `healed`: from here on there are no faults. `end`: the run is over.
 *
 * @since 0.1.0
 */
export type RaftStep =
  | Plain<'start'>
  | Plain<'crash'>
  | Plain<'state'>
  | Plain<'durable'>
  | (Plain<'log'> & { readonly from: number })
  | (Plain<'snapshot'> & { readonly index: number; readonly term: number })
  | (Plain<'sent'> & { readonly message: MessageView })
  | (Plain<'received'> & { readonly message: MessageView })
  | (Plain<'applied'> & {
      readonly index: number;
      readonly hash: number;
      readonly state?: number | undefined;
      readonly configuration?: ConfigurationView | undefined;
    })
  | (Plain<'configured'> & {
      readonly index: number;
      readonly configuration: ConfigurationView;
      readonly list?: Uint8Array | undefined;
      readonly found?: boolean | undefined;
    })
  | (Plain<'installed'> & { readonly index: number; readonly state?: number | undefined })
  | (Plain<'read-asked'> & { readonly read: number })
  | (Plain<'read-answered'> & { readonly read: number; readonly index: number })
  | { readonly kind: 'healed'; readonly atUs: number }
  | { readonly kind: 'end'; readonly atUs: number };

/**
 * One kind of {@link RaftStep}.
 *
 * @since 0.1.0
 */
export type RaftStepOf<K extends RaftStep['kind']> = Extract<RaftStep, { readonly kind: K }>;
