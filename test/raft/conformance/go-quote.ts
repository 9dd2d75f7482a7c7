/** Bytes as a Go program quotes them: the form in which scenario files show what an entry carries. */
const escapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

export function goQuote(data: Uint8Array): string {
  const quoted = isText(data)
    ? [...new TextDecoder('utf-8', { ignoreBOM: true }).decode(data)].map(quoteCharacter)
    : [...data].map((byte) =>
        byte < 0x80 ? quoteCharacter(String.fromCharCode(byte)) : hex(byte),
      );
  return `"${quoted.join('')}"`;
}

function isText(data: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(data);
    return true;
  } catch {
    return false;
  }
}

function quoteCharacter(character: string): string {
  const code = character.codePointAt(0) as number;
  return escapes[character] ?? (code < 0x20 || code === 0x7f ? hex(code) : character);
}

function hex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}
