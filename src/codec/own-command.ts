/**
 * First byte of the commands of a state machine of one's own: far from those of the store's commands, so
 * that neither takes the other's log for its own.
 *
 * @since 0.1.0
 */
export const ownCommandVersion = 129;
