/** How many times the usual runs random tests do: the environment variable `KONTIKI_DEPTH`. */
export const depth = Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));
