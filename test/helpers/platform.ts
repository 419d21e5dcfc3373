import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPlatform } from '#relay/cli/platform.js';
import { parseConfig } from '#relay/config/parse.js';
import { createLogger } from '#relay/log/logger.js';
import { type ServiceParts, startService } from '#relay/service.js';
import { Confidential, keepSecret } from './confidential.js';
import { RelayUnderTest, stopAndLook } from './relay.js';
import type { Cleanup } from './scripted_destination.js';

/** A directory such as the platform mounts at /run/secrets; gone with the test. */
export async function secretsDirectory(
  t: Cleanup,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'secrets-'));
  t.teardown(() => rm(directory, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(directory, name), content);
    const key = /PRIVATE KEY-----\n(.+)\n/.exec(String(content))?.[1];
    if (name === 'ARBITER_TOKEN' || key !== undefined) keepSecret(key ?? String(content).trim());
  }
  return directory;
}

/** The relay as the platform starts it: environment variables and secret files, no flags but those for the test. */
export async function startOnPlatform(
  t: Cleanup,
  env: Readonly<Record<string, string>>,
  parts: Partial<ServiceParts> = {},
): Promise<RelayUnderTest> {
  const argv = ['--port=0', '--host=127.0.0.1', '--allow-http', '--allow-network=127.0.0.0/8'];
  const parsed = parseConfig({ argv, env });
  if (!parsed.ok) throw new Error(parsed.mistakes.join('; '));
  const found = await findPlatform(parsed.config);
  if (!found.ok) throw new Error(found.mistakes.join('; '));
  const lines: string[] = [];
  const logger = createLogger('info', { write: (line) => void lines.push(line) });
  const confidential = new Confidential(Object.entries(env).map(([name, value]) => `${name}=${value}`));
  const service = await startService(parsed.config, { ...found.platform, logger, ...parts });
  t.teardown(() => stopAndLook(service, lines, confidential));
  return new RelayUnderTest(service, lines);
}
