/**
 * A member that replicates a state machine of one's own: the node and the call of its clients.
 */
import { Cleanup } from '../../assembly/cleanup.js';
import { openMember } from '../../assembly/open-member.js';
import type { StoreConfig } from '../../assembly/store-config.js';
import { utf8Bytes } from '../../base/bytes.js';
import type { Env, Node, ProposalId, ProposeOptions } from '../../node/index.js';
import { nameCommand } from '../../node/named-command.js';
import type { SimService, SimStatus } from '../cluster/sim-cluster.js';
import type { MachineSpec } from './machine-spec.js';
import { readPlainState } from './plain-state-file.js';
import { PlainStateMachine } from './plain-state-machine.js';

/** @since 0.1.0 */
export class MachineService<Input, Answer> implements SimService {
  /** For what `propose` does not do, such as `readIndex`. */
  readonly node: Node;
  readonly #encode: (input: Input, id: ProposalId) => Uint8Array;
  readonly #cleanup: Cleanup;
  readonly #timeoutMs: number;

  private constructor(
    node: Node,
    encode: (input: Input, id: ProposalId) => Uint8Array,
    own: { readonly cleanup: Cleanup; readonly timeoutMs: number },
  ) {
    this.node = node;
    this.#encode = encode;
    this.#cleanup = own.cleanup;
    this.#timeoutMs = own.timeoutMs;
  }

  /**
   * Opens a member by the code that opens one in production.
   *
   * @param env - of its machine
   * @param config - with a `dir`
   * @param spec - the machine
   * @throws {KontikiError} as `openStoreOn`, and what the machine throws
   */
  static async open<Input, Answer>(
    env: Env,
    config: StoreConfig,
    spec: MachineSpec<unknown, Input, Answer>,
  ): Promise<MachineService<Input, Answer>> {
    const cleanup = new Cleanup();
    const { timeoutMs } = config;
    try {
      if ('open' in spec) {
        const { node } = await openMember(env, config, spec.open, cleanup);
        return new MachineService(node, (input, id) => spec.encode(input, id), {
          cleanup,
          timeoutMs,
        });
      }
      const openPlain = async ({ fs }: Env, dir = '') => {
        const stored = await readPlainState(fs, dir);
        const machine = new PlainStateMachine(spec.create(), { fs, dir }, stored);
        return { machine, appliedIndex: stored?.appliedIndex ?? 0 };
      };
      const { node } = await openMember(env, config, openPlain, cleanup);
      const bytesOf = (input: Input) => spec.encode?.(input) ?? utf8Bytes(JSON.stringify(input));
      const encode = (input: Input, id: ProposalId) => nameCommand(bytesOf(input), id);
      return new MachineService(node, encode, { cleanup, timeoutMs });
    } catch (error) {
      await cleanup.run();
      throw error;
    }
  }

  /**
   * Has a command carried out, through whichever member leads.
   *
   * @param input - as the model takes it
   * @param options - default: the timeout of the cluster, 7,000 virtual milliseconds
   * @returns the answer, once the command was applied on this member
   * @throws {KontikiError} with an `outcome`: see `Node.propose`
   */
  async propose(input: Input, options: Partial<ProposeOptions> = {}): Promise<Answer> {
    const { timeoutMs = this.#timeoutMs } = options;
    const encode = (id: ProposalId) => this.#encode(input, id);
    return (await this.node.propose(encode, { ...options, timeoutMs })) as Answer;
  }

  status(): SimStatus {
    const { lifecycle, failure, raft } = this.node.status;
    const { role, term, lastIndex, commit, applied } = raft;
    const place = { role, term, lastIndex, committedIndex: commit, appliedIndex: applied };
    return { ...place, lifecycle, failure };
  }

  async close(): Promise<void> {
    await this.node.close();
    await this.#cleanup.run();
  }
}
