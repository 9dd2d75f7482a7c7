/**
 * What the messages of refusals tell people to do, in the same words everywhere.
 */

/** For damage: this member may have forgotten what it promised (DESIGN §4.10). @since 0.1.0 */
export const replaceAdvice = 'replace this member under a new id, or restore a backup';

/** For files of a later format. @since 0.1.0 */
export const upgradeAdvice = 'open it with the release that wrote it, or a later one';
