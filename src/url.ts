/**
 * An absolute URL by the WHATWG rules, or `undefined`. Not by `URL.canParse`: in Node 20 and 22 that is wrong about
 * characters such as `ü` and soft hyphens once V8 has optimised its caller.
 */
export function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
