/** What `npm run soak`, `npm run overload` and `npm run faults` take, for `parseArgs`. */
export const soakFlags = {
  minutes: { type: 'string', default: '5' },
  seed: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;

export const overloadFlags = {
  factor: { type: 'string' },
  seconds: { type: 'string', default: '20' },
  json: { type: 'boolean', default: false },
} as const;

export const faultFlags = {
  json: { type: 'boolean', default: false },
  short: { type: 'boolean', default: false },
  write: { type: 'boolean', default: false },
} as const;
