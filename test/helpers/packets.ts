/** One v1 packet, with the right size in front. */
export function packet(key: string, value: string | Uint8Array): Buffer {
  const size = 4 + key.length + 1 + Buffer.from(value).length + 1;
  return Buffer.concat([
    Buffer.from(`${size.toString(16).padStart(4, '0')}${key} `),
    Buffer.from(value),
    Buffer.from('\n'),
  ]);
}

/** The unpadded token of packets or other bytes. */
export function tokenOf(...parts: readonly (string | Uint8Array)[]): string {
  return Buffer.concat(parts.map((part) => Buffer.from(part))).toString('base64url');
}
