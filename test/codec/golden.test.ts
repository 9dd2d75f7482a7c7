// Goal: bytes written by any release since 0.1.0 are read by this one, and this one writes the same.
// A new kind adds lines to test/compat/codec-golden.json; a line that is there never changes.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { decodeCommand, encodeCommand } from '../../src/codec/command-codec.js';
import { decodeWireMessage, encodeWireMessage } from '../../src/codec/wire-codec.js';
import { commandSamples } from './command-samples.js';
import { wireSamples } from './wire-samples.js';

type Golden = Readonly<Record<'messages' | 'commands', Readonly<Record<string, string>>>>;

const path = new URL('../compat/codec-golden.json', import.meta.url);
const golden = JSON.parse(readFileSync(path, 'utf8')) as Golden;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));

describe('golden messages', () => {
  test('every sample has its line', () => {
    expect(Object.keys(golden.messages)).toEqual(Object.keys(wireSamples));
  });

  test.each(Object.keys(golden.messages))('%s: golden bytes -> the message, and back', (name) => {
    const message = decodeWireMessage(unhex(golden.messages[name]!));
    expect(message).toStrictEqual(wireSamples[name]);
    expect(hex(encodeWireMessage(message))).toBe(golden.messages[name]);
  });
});

describe('golden commands', () => {
  test('every sample has its line', () => {
    expect(Object.keys(golden.commands)).toEqual(Object.keys(commandSamples));
  });

  test.each(Object.keys(golden.commands))('%s: golden bytes -> the command, and back', (name) => {
    const envelope = decodeCommand(unhex(golden.commands[name]!));
    expect(envelope).toStrictEqual(commandSamples[name]);
    expect(hex(encodeCommand(envelope))).toBe(golden.commands[name]);
  });
});
