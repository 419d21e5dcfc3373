import { isLoopback, type SourcedConfig } from './effective.js';
import { nearest } from './nearest.js';
import { quote } from './quote.js';
import type { Environment, Source } from './read.js';
import { type Config, settings } from './settings.js';

/** A rule that takes more than one setting; skipped where one of those could not be read. */
interface Check {
  readonly about: readonly (keyof Config)[];
  /** What is wrong, and what to do about it. */
  readonly mistake: (sourced: SourcedConfig) => string | undefined;
}

/** Each way to let macaroons be verified, as the last words of "there is no macaroon secret: …". */
const waysToASecret = [
  'give one with --secret (EXPORT_SECRET)',
  'name the arbiter to fetch it from with --arbiter (DATABOX_ARBITER_ENDPOINT)',
  'use --dev for a random one on this machine only',
];

const checks: readonly Check[] = [
  {
    about: ['secrets', 'arbiter', 'dev'],
    mistake: ({ config }) =>
      config.secrets.length === 0 && config.arbiter === undefined && !config.dev
        ? `there is no macaroon secret, and no default one: ${waysToASecret.join(', or ')}`
        : undefined,
  },
  {
    about: ['dev', 'host'],
    mistake: ({ config, sources }) =>
      config.dev && sources.host.from !== 'default' && !isLoopback(config.host)
        ? `${nameOf(sources.host, 'host')}: with --dev, expects a loopback address such as 127.0.0.1; got ${quote(config.host)}`
        : undefined,
  },
  {
    about: ['dev', 'admin'],
    mistake: ({ config, sources }) =>
      config.dev && config.admin !== 'off' && !isLoopback(config.admin.host)
        ? `${nameOf(sources.admin, 'admin')}: with --dev, expects a loopback address such as 127.0.0.1:8081; got ${quote(settings.admin.write(config.admin).join(''))}`
        : undefined,
  },
  {
    about: ['attemptTimeoutMs', 'jobTimeoutMs'],
    mistake: ({ config, sources }) =>
      sources.attemptTimeoutMs.from !== 'default' && config.attemptTimeoutMs > config.jobTimeoutMs
        ? `${nameOf(sources.attemptTimeoutMs, 'attemptTimeoutMs')}: expects at most the time of a whole job, ${written('jobTimeoutMs', config)} (${nameOf(sources.jobTimeoutMs, 'jobTimeoutMs')}); got ${written('attemptTimeoutMs', config)}`
        : undefined,
  },
];

/** The rules that the configuration breaks although each of its settings could be read. */
export function checkTogether(sourced: SourcedConfig, failed: ReadonlySet<string>): readonly string[] {
  return checks
    .filter(({ about }) => !about.some((name) => failed.has(name)))
    .map(({ mistake }) => mistake(sourced))
    .filter((mistake) => mistake !== undefined);
}

/** Variables of the runtime with which the service would not be what it says it is. */
export function environmentMistakes(env: Environment): readonly string[] {
  return env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0'
    ? ['NODE_TLS_REJECT_UNAUTHORIZED: expects not to be 0, which would accept any certificate; unset it']
    : [];
}

/** What an operator may believe to have an effect and has none: proxies, and variables that look like ours. */
export function environmentNotices(env: Environment): readonly string[] {
  const set = Object.keys(env).filter((name) => env[name] !== undefined && env[name] !== '');
  const proxies = set.filter((name) => /^(?:https?_proxy|all_proxy|node_use_env_proxy)$/i.test(name));
  return [
    ...proxies.map(
      (name) => `${name} is ignored: exports go straight to their destination, never through a proxy`,
    ),
    ...set.flatMap(misspelt),
  ];
}

const variables: readonly string[] = Object.values(settings).flatMap((setting) => setting.variable ?? []);
const ownPrefix = /^(?:EXPORT|DATABOX_LOCAL)_/;

/** Compared without prefix, so that EXPORT_PORT leads to DATABOX_LOCAL_PORT. */
function misspelt(name: string): readonly string[] {
  if (variables.includes(name) || !ownPrefix.test(name)) return [];
  const close = nearest(
    name.replace(ownPrefix, ''),
    variables.map((variable) => variable.replace(ownPrefix, '')),
  );
  const meant = variables.find((variable) => variable.replace(ownPrefix, '') === close);
  return meant === undefined ? [] : [`${name} is not a setting and is ignored: did you mean ${meant}?`];
}

function nameOf(source: Source, name: keyof Config): string {
  return source.from === 'default' ? `--${settings[name].flag}` : source.name;
}

function written(name: 'attemptTimeoutMs' | 'jobTimeoutMs', config: Config): string {
  return settings[name].write(config[name]).join('');
}
