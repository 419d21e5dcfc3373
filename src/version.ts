import { readFileSync } from 'node:fs';

/** The package's version; read from package.json, which lies beside dist/. */
export const version: string = readVersion();

function readVersion(): string {
  const parsed: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const found =
    typeof parsed === 'object' && parsed !== null && 'version' in parsed ? parsed.version : undefined;
  if (typeof found !== 'string') throw new Error('package.json has no version');
  return found;
}
