/**
 * Verifies the data directory of a stopped member from the first byte to the last, and changes
 * nothing. A damaged part does not keep the others from being looked at.
 */
import { replaceAdvice } from '../../base/advice.js';
import { isKontikiError, type KontikiError, kontikiError } from '../../base/errors.js';
import type { FileSystem } from '../file-system.js';
import { type MemberRecord, memberFileName, readMemberFile } from '../member-file.js';
import type { SnapshotMeta } from '../snapshot-store.js';
import { findState, isStateName } from '../state-pointer.js';
import { type ReadWalOptions, readWal, type WalSummary } from '../wal/reader.js';
import { checkSnapshots } from './check-snapshots.js';
import { checkState, type RecordAudit, type StateCheck } from './check-state.js';
import { findMachineKind, kindOfRecord, type MachineKind } from './machine-kind.js';
import { recoveryProblem } from './recovery-problem.js';

/** @since 0.1.0 */
export interface CheckDirectoryOptions {
  readonly fs: FileSystem;
  /** The data directory, which nobody has open. */
  readonly dir: string;
  /** Called for each record of the log, as `readWal` calls it. Optional. */
  readonly visitLog?: ReadWalOptions['visit'];
  /** Looks at the records of the state; default: nobody does. */
  readonly audit?: RecordAudit | undefined;
}

/** What a directory holds. A part that is damaged is absent, unless it says otherwise. @since 0.1.0 */
export interface DirectoryCheck {
  /** Absent as well before the first start was done. */
  readonly member: MemberRecord | undefined;
  readonly wal: WalSummary | undefined;
  /** Whether it belongs to a state machine of one's own: there is no state in it to be looked at. */
  readonly isOwnMachine: boolean;
  /** Name of the folder of the present state, whether that is damaged or not. */
  readonly stateFolder: string | undefined;
  readonly state: StateCheck | undefined;
  /** Those that are whole, oldest first. */
  readonly snapshots: readonly SnapshotMeta[];
  /**
   * What is wrong, part by part: `WAL_CORRUPT`, `STATE_CORRUPT` and `SNAPSHOT_CORRUPT` for damage;
   * `FORMAT_UNSUPPORTED` and `STORAGE_IO` where a part could not be read; `MEMBER_ROLLED_BACK` for a
   * member that was set aside, and does not open however intact it is.
   */
  readonly problems: readonly KontikiError[];
}

const problemCodes = [
  'WAL_CORRUPT',
  'STATE_CORRUPT',
  'SNAPSHOT_CORRUPT',
  'FORMAT_UNSUPPORTED',
  'STORAGE_IO',
] as const;

/**
 * Reads a whole data directory. Whether somebody has it open is the caller's to know.
 *
 * @param options - see {@link CheckDirectoryOptions}
 * @returns `undefined` for a folder with nothing of a member in it
 * @throws {KontikiError} STORAGE_IO, when the folder cannot be listed
 * @since 0.1.0
 */
export async function checkDirectory(
  options: CheckDirectoryOptions,
): Promise<DirectoryCheck | undefined> {
  const { fs, dir } = options;
  const names = await fs.list(dir);
  const isMember = names.some((name) => name === memberFileName || isStateName(name));
  if (!isMember && (await fs.list(`${dir}/wal`)).length === 0) return undefined;
  const reading = new DirectoryReading(options);
  await reading.read();
  return reading;
}

class DirectoryReading implements DirectoryCheck {
  readonly problems: KontikiError[] = [];
  member: MemberRecord | undefined;
  wal: WalSummary | undefined;
  isOwnMachine = false;
  stateFolder: string | undefined;
  state: StateCheck | undefined;
  snapshots: readonly SnapshotMeta[] = [];
  readonly #options: CheckDirectoryOptions;
  readonly #walDir: string;
  /** What the log tells of whose it is. */
  #logged: MachineKind | undefined;

  constructor(options: CheckDirectoryOptions) {
    this.#options = options;
    this.#walDir = `${options.dir}/wal`;
  }

  async read(): Promise<void> {
    const { fs, dir, audit } = this.#options;
    await this.#part(async () => {
      this.member = await readMemberFile(fs, dir);
    });
    const hasRefusedMember = this.problems.length > 0;
    if (this.member?.rolledBack) this.#add(rolledBack(dir, this.member));
    await this.#readLog();
    if (this.wal !== undefined && !hasRefusedMember) this.#checkOwner(this.wal);
    await this.#part(async () => {
      this.isOwnMachine = (await findMachineKind(fs, dir, this.#logged)) === 'own';
    });
    await this.#part(async () => {
      if (this.isOwnMachine) return;
      this.stateFolder = await findState(fs, dir);
      this.state = await checkState({ fs, dir: `${dir}/${this.stateFolder}`, audit });
    });
    await this.#part(async () => {
      const { intact, damage } = await checkSnapshots(fs, `${dir}/snapshots`);
      this.snapshots = intact;
      this.problems.push(...damage);
    });
    if (this.wal === undefined || this.state === undefined) return;
    const { appliedIndex } = this.state;
    this.#add(recoveryProblem(this.wal, this.#walDir, appliedIndex, this.snapshots));
  }

  #readLog(): Promise<void> {
    const { fs, visitLog } = this.#options;
    return this.#part(async () => {
      this.wal = await readWal({
        ...{ fs, dir: this.#walDir },
        visit: (record, place) => {
          this.#logged ??= kindOfRecord(record);
          visitLog?.(record, place);
        },
      });
    });
  }

  async #part(read: () => Promise<void>): Promise<void> {
    try {
      await read();
    } catch (error) {
      const code = problemCodes.find((one) => isKontikiError(error, one));
      if (code === undefined) throw error;
      this.problems.push(error as KontikiError);
    }
  }

  #add(problem: KontikiError | undefined): void {
    if (problem !== undefined) this.problems.push(problem);
  }

  /** The member file is written after the log was made, and before the log is used (DESIGN §4.10). */
  #checkOwner({ history, tail }: WalSummary): void {
    const { dir } = this.#options;
    if (this.member !== undefined && tail === undefined) {
      const message = `expected the log of ${this.member.name} in ${this.#walDir}; ${replaceAdvice}`;
      this.#add(kontikiError('WAL_CORRUPT', message, { file: this.#walDir, offset: 0 }));
    }
    if (this.member === undefined && (history.terms.last > 0 || history.hardState.term > 0)) {
      const expected = `expected a ${memberFileName} in ${dir}`;
      const why = 'without it nobody knows whose log this is';
      this.#add(kontikiError('STATE_CORRUPT', `${expected}: ${why}; ${replaceAdvice}`));
    }
  }
}

function rolledBack(dir: string, { name }: MemberRecord): KontikiError {
  const message = `peers found ${dir} to be an old copy of ${name}'s; ${replaceAdvice}`;
  return kontikiError('MEMBER_ROLLED_BACK', message);
}
