/** Which message met which role, and how their terms compared: the transitions of reliability §7.6. */

/**
 * The transition's mark, such as `got.vote-request@leader/newer`: a leader is asked for its vote in a
 * term newer than its own.
 *
 * @param member - as it was before
 * @param message - that it is about to handle
 * @since 0.1.0
 */
export function transitionMark(
  member: { readonly role: string; readonly term: number },
  message: { readonly kind: string; readonly term: number },
): string {
  return `got.${message.kind}@${member.role}/${relation(message.term, member.term)}`;
}

function relation(term: number, own: number): string {
  if (term === own) return 'same';
  return term > own ? 'newer' : 'older';
}
