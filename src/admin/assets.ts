import { readFile } from 'node:fs/promises';
import type { AdminAnswer } from './answer.js';

/** The page's files by path; they lie in dist/page, where the build has put them. */
const files: Readonly<Record<string, readonly [file: string, contentType: string]>> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
  '/icon.svg': ['icon.svg', 'image/svg+xml'],
};

/** Every module of the page, see src/page. */
const scripts = [
  'main',
  'chart',
  'dom',
  'exports_view',
  'filters',
  'format',
  'groups_view',
  'live',
  'operator_view',
  'overview',
  'row',
] as const;

export const assetPaths: readonly string[] = [...Object.keys(files), ...scripts.map((name) => `/${name}.js`)];

/** Reads one of the page's files, which are few and small, each time anew. */
export async function assetAt(path: string): Promise<AdminAnswer> {
  const [file, contentType] = files[path] ?? [path.slice(1), 'text/javascript; charset=utf-8'];
  const body = await readFile(new URL(`../page/${file}`, import.meta.url));
  return { status: 200, contentType, body };
}
