/**
 * Clients of a state machine of one's own: they ask what its specification draws, and in the end
 * every answer is held against the model, at the place that the log gave the command.
 */
import type { Random } from '../../base/prng.js';
import { checkLog } from '../checkers/log-check.js';
import type { LogEntry, LogSpecification } from '../checkers/log-types.js';
import { type Observed, WholeAnswer } from '../checkers/observed.js';
import { errorText } from '../error-text.js';
import type { Scenario } from '../run/scenario.js';
import type { Workload, WorkloadContext } from '../run/workload.js';
import { type Client, type ClientCall, Clients, requestName } from '../workload/clients.js';
import type { MachineService } from './machine-service.js';
import { describedModel, type MachineModel, type MachineSpec } from './machine-spec.js';

/** @since 0.1.0 */
export class MachineWorkload<State, Input, Answer>
  implements Workload<MachineService<Input, Answer>>
{
  readonly #spec: MachineSpec<State, Input, Answer>;
  #clients: Clients<MachineService<Input, Answer>, Input, Answer> | undefined;

  /**
   * @param spec - says what clients ask, and what the answers should be
   */
  constructor(spec: MachineSpec<State, Input, Answer>) {
    this.#spec = spec;
  }

  get pending(): number {
    return this.#clients?.pending ?? 0;
  }

  observe(context: WorkloadContext<MachineService<Input, Answer>>): void {
    this.#clients = new Clients(context);
  }

  start({ scenario }: WorkloadContext<MachineService<Input, Answer>>): void {
    this.#clients?.start((_, random) => this.#client(random, scenario));
  }

  ask(
    { scenario }: WorkloadContext<MachineService<Input, Answer>>,
    members: readonly string[],
  ): void {
    this.#clients?.ask(members, (_, random) => [this.#client(random, scenario)]);
  }

  get unserved(): readonly string[] {
    return this.#clients?.unserved ?? [];
  }

  stop(): void {
    this.#clients?.stop();
  }

  judge(context: WorkloadContext<MachineService<Input, Answer>>): void {
    const calls = this.#clients?.calls ?? [];
    const log = [...this.#committed(context, calls)];
    const history = calls.map(({ answer, ...call }) => ({
      ...call,
      output:
        call.outcome === 'ok'
          ? (new WholeAnswer(answer) as unknown as Observed<Answer>)
          : undefined,
    }));
    const specification = logSpecification(this.#spec.model);
    for (const { kind, message } of checkLog(specification, { log, history })) {
      context.violated(`X1.${kind}`, message);
    }
  }

  async finish(context: WorkloadContext<MachineService<Input, Answer>>): Promise<void> {
    this.judge(context);
  }

  summary(): Readonly<Record<string, number>> {
    return { ...this.#clients?.summary() };
  }

  #client(
    random: Random,
    { keys }: Scenario,
  ): Client<MachineService<Input, Answer>, Input, Answer> {
    return {
      next: () => {
        const input = this.#draw(random, keys);
        return { input, run: (service) => service.propose(input) };
      },
    };
  }

  /** Names what threw: its stack alone may not tell whose it is. */
  #draw(random: Random, keys: number): Input {
    try {
      return this.#spec.draw(random, keys);
    } catch (error) {
      throw new Error(`draw of the machine threw ${errorText(error)}`, { cause: error });
    }
  }

  *#committed(
    context: WorkloadContext<MachineService<Input, Answer>>,
    calls: readonly ClientCall<Input, Answer>[],
  ): IterableIterator<LogEntry<Input>> {
    const inputs = new Map(calls.map(({ request, input }) => [request, input]));
    let index = 0;
    for (const committed of this.#clients?.log.entries() ?? []) {
      index += 1;
      if (committed === undefined) {
        return context.violated('R4', `nobody told what entry ${index} was`);
      }
      // A new leader's first entry holds no command.
      const { data, type } = committed.entry;
      if (data.length === 0 || type !== 'normal') continue;
      const request = requestName(committed.result.requestId);
      const input = inputs.get(request);
      if (request === undefined || !inputs.has(request)) {
        return context.violated('X1.unasked', `nobody asked for entry ${index}`);
      }
      yield { request, input: input as Input };
    }
  }
}

/** A model as the check of a log takes it: no command is a read, so revisions play no part. */
function logSpecification<State, Input, Answer>(
  model: MachineModel<State, Input, Answer>,
): LogSpecification<State, Input, Answer> {
  return { ...describedModel(model), revision: () => 0, revisionSeen: () => undefined };
}
