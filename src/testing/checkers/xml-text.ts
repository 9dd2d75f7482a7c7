/** Text inside an XML document. Keys and values hold any units, most of which XML does not allow. */

const named: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/**
 * The text, safe between tags and in attributes; units that XML forbids are shown as `\u0000`.
 *
 * @param text - anything
 * @since 0.1.0
 */
export function xmlText(text: string): string {
  let out = '';
  // By code points: what is left of the surrogates are those without their other half.
  for (const point of text) {
    const code = point.codePointAt(0) as number;
    const isForbidden =
      code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0xd800 && code < 0xe000);
    if (isForbidden || code === 0xfffe || code === 0xffff) {
      out += `\\u${code.toString(16).padStart(4, '0')}`;
    } else {
      out += named[point] ?? point;
    }
  }
  return out;
}
