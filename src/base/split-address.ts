/**
 * Addresses of members as people write them, taken apart.
 */

const pattern = /^(?:\[([0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|([^\s:[\]/@]+)):(\d{1,5})$/;

/**
 * @param text - `host:port`, for example `10.0.0.1:7000`, `db-1.example:7000` or `[::1]:7000`
 * @returns host without brackets, and port 0 to 65535; `undefined` when it is none
 * @since 0.1.0
 */
export function splitAddress(
  text: string,
): { readonly host: string; readonly port: number } | undefined {
  const [, v6, name, digits] = pattern.exec(text) ?? [];
  const host = v6 ?? name;
  const port = Number(digits);
  return host === undefined || port > 65_535 ? undefined : { host, port };
}
