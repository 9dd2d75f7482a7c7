/**
 * Connects to a peer and says hello.
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { isKontikiError, type KontikiError } from '../../base/errors.js';
import type { Address } from '../address.js';
import { decodeAnswer, refusalError, toldBytesMax } from '../answer.js';
import { frameOf } from '../frame.js';
import { FrameParser } from '../frame-parser.js';
import { checkAcceptance } from '../handshake.js';
import { handshakeBytesMax } from '../handshake-fields.js';
import { encodeHello, type Hello } from '../hello.js';
import type { TcpContext } from './tcp-context.js';
import { tlsRefusalOf } from './tls-refusal.js';

/**
 * How an attempt ended. A connection that could not be made, broke, or stayed silent has `failed`.
 *
 * @since 0.1.0
 */
export type DialResult =
  | { readonly kind: 'accepted'; readonly socket: Socket; readonly parser: FrameParser }
  | { readonly kind: 'refused'; readonly error: KontikiError }
  | { readonly kind: 'told'; readonly data: Uint8Array }
  | { readonly kind: 'failed' };

/** @since 0.1.0 */
export interface DialOptions {
  readonly context: TcpContext;
  readonly address: Address;
  readonly hello: Hello;
  /** For everything from the first packet to the answer. */
  readonly timeoutMs: number;
  /** Called once, from the event loop. An accepted socket has no listeners of the dial any more. */
  readonly onDone: (result: DialResult) => void;
}

/**
 * Starts an attempt. Closing the transport's sockets ends it as `failed`.
 *
 * @since 0.1.0
 */
export function dial({ context, address, hello, timeoutMs, onDone }: DialOptions): void {
  const { socket, readyEvent } = open(context, address);
  let failure: Error | undefined;
  const bytesMax = hello.inquiry === undefined ? handshakeBytesMax : toldBytesMax;
  const parser = new FrameParser(bytesMax, context.crc32);
  const timer = context.timers.after(timeoutMs, () => socket.destroy());
  const done = (result: DialResult): void => {
    timer.cancel();
    socket.off(readyEvent, onReady).off('data', onData).off('close', onClose);
    if (result.kind !== 'accepted') socket.destroy();
    onDone(result);
  };
  const onReady = (): void => {
    socket.write(frameOf(encodeHello(hello), context.crc32));
  };
  const onData = (chunk: Uint8Array): void => {
    parser.push(chunk);
    const result = readAnswer(socket, parser, hello);
    if (result !== undefined) done(result);
  };
  const onClose = (): void => {
    const error = tlsRefusalOf(failure);
    done(error === undefined ? { kind: 'failed' } : { kind: 'refused', error });
  };
  socket.once('error', (error) => {
    failure = error;
  });
  socket.on(readyEvent, onReady).on('data', onData).on('close', onClose);
  context.sockets.add(socket);
}

function open(
  { lookups, tls }: TcpContext,
  { host, port }: Address,
): { readonly socket: Socket; readonly readyEvent: 'connect' | 'secureConnect' } {
  const lookup = lookups.find;
  if (tls === undefined) {
    const socket = connect({ host, port, lookup, noDelay: true, keepAlive: true });
    return { socket, readyEvent: 'connect' };
  }
  // Said aloud, because an environment variable can turn the default off.
  const rejectUnauthorized = true;
  const secureContext = tls.current().context;
  const socket = connectTls({ host, port, lookup, secureContext, rejectUnauthorized });
  return { socket: socket.setNoDelay(true).setKeepAlive(true), readyEvent: 'secureConnect' };
}

function readAnswer(socket: Socket, parser: FrameParser, hello: Hello): DialResult | undefined {
  try {
    const payload = parser.next();
    if (payload === undefined) return undefined;
    const answer = decodeAnswer(payload);
    if (answer.kind === 'refused') return { kind: 'refused', error: refusalError(answer) };
    if (answer.kind === 'told') return hello.inquiry === undefined ? { kind: 'failed' } : answer;
    if (hello.inquiry !== undefined) return { kind: 'failed' };
    const error = checkAcceptance(answer, hello);
    return error === undefined ? { kind: 'accepted', socket, parser } : { kind: 'refused', error };
  } catch (error) {
    if (!isKontikiError(error, 'FRAME_INVALID')) throw error;
    return { kind: 'failed' };
  }
}
