// Tests often run as root, to whom nothing is forbidden.

/** The user that owns nothing, by convention. */
const nobody = 65_534;

/** Does something with the rights of somebody who may not write where this user wrote. */
export async function unprivileged<T>(work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid?.(nobody);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

/** Does something in the midst of it with the rights that this user had before. */
export function asOwner(work: () => void): void {
  const user = process.geteuid?.() ?? 0;
  const isOther = user === nobody && process.getuid?.() === 0;
  if (isOther) process.seteuid?.(0);
  try {
    work();
  } finally {
    if (isOther) process.seteuid?.(user);
  }
}
