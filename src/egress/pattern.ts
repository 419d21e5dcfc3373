import { type Destination, parseDestination } from './destination.js';

/**
 * Whether a destination is covered by a pattern, as written in a `destination = …` caveat or in
 * `--allow-destination`: the same URL as text, the same after WHATWG normalisation, or, where the pattern's path
 * ends in `/*`, the same origin and a path below it.
 */
export function matchesPattern(pattern: string, destination: Destination): boolean {
  if (pattern === destination.text) return true;
  const parsed = parseDestination(pattern);
  if (!parsed.ok) return false;
  if (parsed.destination.href === destination.href) return true;
  return isWildcard(parsed.destination) && liesBelow(parsed.destination, destination);
}

function isWildcard(pattern: Destination): boolean {
  // Not by the path, which has lost an empty query.
  return pattern.href.endsWith('/*') && !pattern.href.includes('?');
}

function liesBelow(pattern: Destination, destination: Destination): boolean {
  if (hasEncodedSlash(destination)) return false;
  return pattern.origin === destination.origin && destination.path.startsWith(pattern.path.slice(0, -1));
}

/** Whether a server that decodes before it splits the path could leave a subtree: no `/*` covers such a destination. */
export function hasEncodedSlash({ href }: Destination): boolean {
  return /%2f|%5c/i.test(href);
}
