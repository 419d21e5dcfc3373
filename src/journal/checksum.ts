import { crc32 } from 'node:zlib';

const table = new Uint32Array(256);
for (let byte = 0; byte < 256; byte += 1) {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  table[byte] = value >>> 0;
}

/** From here on making a view for the native function pays for itself. */
const nativeFrom = 64;

/** The CRC-32 of a part of a buffer. It notices every burst of up to 32 bits, and any other damage but 1 in 2³². */
export function checksum(bytes: Buffer, start: number, end: number): number {
  if (end - start >= nativeFrom) return crc32(bytes.subarray(start, end));
  let value = 0xffffffff;
  for (let at = start; at < end; at += 1) {
    value = (value >>> 8) ^ (table[(value ^ (bytes[at] ?? 0)) & 0xff] ?? 0);
  }
  return (value ^ 0xffffffff) >>> 0;
}
