/**
 * Messages between members, as far as an invariant looks at them. Our own `PeerMessage` is one as it
 * is; somebody else's Raft reports its messages in these shapes, and leaves out what has none.
 */

/**
 * A position of the log.
 *
 * @since 0.1.0
 */
export interface PositionView {
  readonly index: number;
  readonly term: number;
}

interface EnvelopeView {
  readonly from: number;
  readonly to: number;
  /** The sender's term; in a pre-vote request and its grant the term that is asked about. */
  readonly term: number;
}

/** What a message about a vote may tell of the log. */
interface CommitView {
  /** What the sender knows to be committed, for whoever hears it to commit, too; absent: not told. */
  readonly commit?: PositionView;
}

/**
 * `append-response` without `hint` acknowledges everything up to `index`; with it, it is a refusal.
 *
 * @since 0.1.0
 */
export type MessageView = EnvelopeView &
  (
    | ({ readonly kind: 'pre-vote-request' } & CommitView)
    | ({
        readonly kind: 'vote-request';
        /** The leader itself asked for this election; default false. */
        readonly transfer?: boolean;
      } & CommitView)
    | ({
        readonly kind: 'vote-response' | 'pre-vote-response';
        readonly granted: boolean;
      } & CommitView)
    | {
        readonly kind: 'append-request';
        readonly previous: PositionView;
        readonly entries: readonly PositionView[];
        readonly commit: number;
      }
    | {
        readonly kind: 'append-response';
        readonly index: number;
        readonly hint?: PositionView;
      }
    | {
        readonly kind: 'heartbeat-request';
        readonly commit: number;
        /** By the leader's clock, while it uses a lease; absent or 0: it uses none. */
        readonly sentAt?: number;
      }
    | {
        readonly kind: 'heartbeat-response';
        /** Echo of the request's: the member pledges the lease; absent or 0: it does not. */
        readonly sentAt?: number;
      }
    | {
        readonly kind:
          | 'propose-request'
          | 'read-request'
          | 'read-response'
          | 'snapshot-request'
          | 'timeout-now'
          | 'transfer-request';
      }
  );
