import { LRUCache } from 'lru-cache';
import { type Destination, type ParsedDestination, parseDestination } from './destination.js';

/**
 * Patterns stand in configurations and macaroons, which both last: read again for each request, they took a twelfth
 * of a poll's time.
 */
const parsedPatterns = new LRUCache<string, ParsedDestination>({ max: 1000 });

/**
 * Whether a destination is covered by a pattern, as written in a `destination = …` caveat or in
 * `--allow-destination`: the same URL as text, the same after WHATWG normalisation, or, where the pattern's path
 * ends in `/*`, the same origin and a path below it.
 */
export function matchesPattern(pattern: string, destination: Destination): boolean {
  if (pattern === destination.text) return true;
  const parsed = parsedPattern(pattern);
  if (!parsed.ok) return false;
  if (parsed.destination.href === destination.href) return true;
  return isWildcard(parsed.destination) && liesBelow(parsed.destination, destination);
}

function parsedPattern(pattern: string): ParsedDestination {
  let parsed = parsedPatterns.get(pattern);
  if (parsed === undefined) {
    parsed = parseDestination(pattern);
    parsedPatterns.set(pattern, parsed);
  }
  return parsed;
}

function isWildcard(pattern: Destination): boolean {
  // Not by the path, which has lost an empty query.
  return pattern.href.endsWith('/*') && !pattern.href.includes('?');
}

function liesBelow(pattern: Destination, destination: Destination): boolean {
  // A server that decodes these before it splits the path would leave the subtree.
  if (/%2f|%5c/i.test(destination.href)) return false;
  return pattern.origin === destination.origin && destination.path.startsWith(pattern.path.slice(0, -1));
}
