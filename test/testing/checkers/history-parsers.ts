/**
 * Reads histories that others recorded. Times are line numbers: the lines are in the order of the
 * events.
 */
import type {
  AppendRegisterAnswer,
  AppendRegisterInput,
} from '../../../src/testing/checkers/append-register.js';
import type { Observed } from '../../../src/testing/checkers/observed.js';
import type { Operation } from '../../../src/testing/checkers/operation.js';
import type {
  RegisterAnswer,
  RegisterInput,
  RegisterValue,
} from '../../../src/testing/checkers/register.js';

type RegisterOperation = Operation<RegisterInput, Observed<RegisterAnswer>>;
type AppendOperation = Operation<AppendRegisterInput, Observed<AppendRegisterAnswer>>;

/** Calls that have no answer yet, by process. */
class OpenCalls<Input> {
  readonly #calls = new Map<string, { readonly input: Input; readonly callAt: number }>();

  open(process: string, input: Input, callAt: number): void {
    if (this.#calls.has(process)) throw new Error(`line ${callAt}: ${process} calls twice`);
    this.#calls.set(process, { input, callAt });
  }

  close(process: string, line: number): { readonly input: Input; readonly callAt: number } {
    const call = this.#calls.get(process);
    if (call === undefined) throw new Error(`line ${line}: ${process} has no call`);
    this.#calls.delete(process);
    return call;
  }

  /** Whoever never heard back. */
  left(): Operation<Input, never>[] {
    return [...this.#calls].map(([client, call]) => ({ client, ...call, returnAt: Infinity }));
  }
}

const jepsenLine = /^INFO\s+jepsen\.util\s+-\s+(\d+)\s+:(\w+)\s+:(\w+)\s+(.*?)\s*$/;

/** Jepsen's log of one register. */
export function parseJepsenLog(text: string): RegisterOperation[] {
  const calls = new OpenCalls<RegisterInput>();
  const done: RegisterOperation[] = [];
  for (const [at, line] of text.split('\n').entries()) {
    const [, client, type, op, value] = jepsenLine.exec(line) ?? [];
    if (client === undefined || op === undefined || value === undefined) {
      if (line.trim() !== '') throw new Error(`line ${at}: ${line}`);
      continue;
    }
    if (type === 'invoke') {
      calls.open(client, registerInput(op, value), at);
      continue;
    }
    const call = calls.close(client, at);
    // A read that learned nothing says nothing.
    if (call.input.op === 'read' && type !== 'ok') continue;
    const isAnswer = type === 'ok' || (type === 'fail' && op === 'cas');
    const output = isAnswer ? registerOutput(call.input, value, type === 'ok') : undefined;
    done.push({ client, ...call, output, returnAt: isAnswer ? at : Infinity });
  }
  return [...done, ...calls.left().filter(({ input }) => input.op !== 'read')];
}

function registerInput(op: string, value: string): RegisterInput {
  if (op === 'read') return { op };
  if (op === 'write') return { op, value: registerValue(value) };
  const [, expected, next] = /^\[(\S+) (\S+)\]$/.exec(value) ?? [];
  if (op !== 'cas' || expected === undefined || next === undefined) {
    throw new Error(`no operation: ${op} ${value}`);
  }
  return { op, expected: registerValue(expected), value: registerValue(next) };
}

function registerOutput(input: RegisterInput, value: string, isOk: boolean) {
  if (input.op === 'read') return { value: registerValue(value) };
  return input.op === 'cas' ? { swapped: isOk } : {};
}

function registerValue(text: string): RegisterValue {
  if (text === 'nil') return null;
  if (!/^-?\d+$/.test(text)) throw new Error(`no value: ${text}`);
  return Number(text);
}

const mapLine =
  /^\{:process (\d+), :type :(\w+), :f :(\w+), :key ("(?:[^"\\]|\\.)*"), :value (nil|"(?:[^"\\]|\\.)*")\}\s*$/;

/** One map per line: `:invoke` and `:ok` of get, put and append under keys. */
export function parseAppendLog(text: string): AppendOperation[] {
  const calls = new OpenCalls<AppendRegisterInput>();
  const done: AppendOperation[] = [];
  for (const [at, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const [, client, type, op, keyText, valueText] = mapLine.exec(line) ?? [];
    if (client === undefined || keyText === undefined || valueText === undefined) {
      throw new Error(`line ${at}: ${line}`);
    }
    const key: string = JSON.parse(keyText);
    const value: string = valueText === 'nil' ? '' : JSON.parse(valueText);
    if (type === 'invoke') {
      if (op === 'get') calls.open(client, { op, key }, at);
      else if (op === 'put' || op === 'append') calls.open(client, { op, key, value }, at);
      else throw new Error(`line ${at}: no operation: ${op}`);
      continue;
    }
    if (type !== 'ok') throw new Error(`line ${at}: no such type: ${type}`);
    const call = calls.close(client, at);
    done.push({ client, ...call, output: op === 'get' ? { value } : {}, returnAt: at });
  }
  return [...done, ...calls.left()];
}
