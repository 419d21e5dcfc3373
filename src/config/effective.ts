import { BlockList, isIP } from 'node:net';
import { type Network, parseNetwork } from '../egress/network.js';
import type { Source, Sources } from './read.js';
import type { Config } from './settings.js';

/** A configuration, with where each of its values came from. */
export interface SourcedConfig {
  readonly config: Config;
  readonly sources: Sources<Config>;
}

/** What `--dev` lets exports reach: this machine and private networks, never link-local (cloud metadata). */
const developmentNetworks: readonly Network[] = [
  '127.0.0.0/8',
  '::1/128',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  'fc00::/7',
].flatMap((text) => parseNetwork(text) ?? []);

/**
 * With `--dev`: loopback only, `http:` and private destinations allowed. What somebody set stays as it was set; the
 * random secret is the business of whoever starts the service. Without `--dev`, nothing changes.
 */
export function applyDevelopmentMode({ config, sources }: SourcedConfig): SourcedConfig {
  if (!config.dev) return { config, sources };
  const why: Source = { from: 'consequence', name: '--dev' };
  return {
    config: {
      ...config,
      host: sources.host.from === 'default' ? '127.0.0.1' : config.host,
      allowHttp: sources.allowHttp.from === 'default' ? true : config.allowHttp,
      allowNetworks: [...config.allowNetworks, ...developmentNetworks],
    },
    sources: {
      ...sources,
      host: sources.host.from === 'default' ? why : sources.host,
      allowHttp: sources.allowHttp.from === 'default' ? why : sources.allowHttp,
      allowNetworks: why,
    },
  };
}

/** An attempt cannot outlast its job: where nobody set its time, a shorter job timeout is also the attempt's. */
export function limitAttemptTimeout({ config, sources }: SourcedConfig): SourcedConfig {
  if (sources.attemptTimeoutMs.from !== 'default' || config.attemptTimeoutMs <= config.jobTimeoutMs) {
    return { config, sources };
  }
  return {
    config: { ...config, attemptTimeoutMs: config.jobTimeoutMs },
    sources: { ...sources, attemptTimeoutMs: { from: 'consequence', name: '--job-timeout' } },
  };
}

/** Where the relay's port is free to choose, so is the admin listener's: several relays can run beside each other. */
export function freeAdminPort({ config, sources }: SourcedConfig): SourcedConfig {
  if (config.port !== 0 || config.admin === 'off' || sources.admin.from !== 'default') {
    return { config, sources };
  }
  return {
    config: { ...config, admin: { ...config.admin, port: 0 } },
    sources: { ...sources, admin: { from: 'consequence', name: '--port' } },
  };
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Whether listening on this host keeps the service on this machine. */
export function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return host.toLowerCase() === 'localhost';
  return loopback.check(host, family === 4 ? 'ipv4' : 'ipv6');
}
