import { randomBytes } from 'node:crypto';
import type { Config } from '../config/settings.js';
import { helpText, printConfig } from '../config/describe.js';
import { parseConfig } from '../config/parse.js';
import { bugFields } from '../log/bug.js';
import { type Log, openLog } from '../log/output.js';
import { type Service, startService } from '../service.js';
import { type Command, type CommandContext, exitStatus, reportMistakes } from './command.js';
import { type Platform, findPlatform } from './platform.js';
import type { Receiver } from './receiver.js';

/**
 * How long attempts in flight may still take after SIGTERM or SIGINT. Container engines kill after ten seconds: what
 * remains of them is for the last answers and the last writes.
 */
const stopGraceMs = 8000;

/** Runs the service, or says what its configuration is or what is wrong with it. */
export const serve: Command = {
  name: 'serve',
  summary: 'run the service',
  help: helpText(),
  async run(context) {
    const parsed = parseConfig(context);
    const found = await findPlatform(parsed.config);
    const mistakes = [...(parsed.ok ? [] : parsed.mistakes), ...(found.ok ? [] : found.mistakes)];
    if (!parsed.ok || !found.ok) {
      reportMistakes(context, 'serve', mistakes);
      return found.ok && !parsed.ok && parsed.usage ? exitStatus.usage : exitStatus.configuration;
    }
    for (const notice of parsed.notices) context.stderr(`export-relay serve: ${notice}\n`);
    if (parsed.printConfig) {
      context.stdout(printConfig(parsed));
      return exitStatus.done;
    }
    return runService(parsed.config, found.platform, context);
  },
};

/** Runs until SIGTERM or SIGINT. */
async function runService(config: Config, platform: Platform, context: CommandContext): Promise<number> {
  const interruption = context.interruption();
  const { logger, flush, lostLines } = openServiceLog(config, context);
  context.onBug((error) => {
    const fields = bugFields(error);
    logger.fatal(fields, 'bug');
    flush();
    context.stderr(`export-relay serve: ended by a bug, ${[fields.type, ...fields.at].join('\n    at ')}\n`);
  });
  const [secret = randomBytes(32).toString('base64url')] = config.secrets;
  const secrets = config.dev ? [secret, ...config.secrets.slice(1)] : config.secrets;
  let service: Service;
  try {
    service = await startService(
      { ...config, secrets },
      { ...platform, logger, logLinesLost: lostLines, processMetrics: true },
    );
  } catch (error) {
    context.stderr(`export-relay serve: cannot start: ${reasonOf(error)}\n`);
    return exitStatus.failed;
  }
  context.stdout(`listening on ${service.url}\n`);
  if (service.adminUrl !== undefined) context.stdout(`admin listening on ${service.adminUrl}\n`);
  if (platform.tls === undefined) logger.warn('without a certificate the service speaks plain HTTP');
  const receiver = config.dev ? await showHowToTry(config, secret, service, context) : undefined;
  await aborted(interruption);
  await service.stop(stopGraceMs);
  await receiver?.close();
  flush();
  return exitStatus.done;
}

/** JSON lines, or on a terminal lines for people; in colours unless NO_COLOR (no-color.org) or the terminal says no. */
function openServiceLog({ logLevel }: Config, { env, stdout, stdoutIsTty, now }: CommandContext): Log {
  const colours = (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  return openLog({ level: logLevel, write: stdout, isTerminal: stdoutIsTty, colours, nowMs: now });
}

async function showHowToTry(
  { name }: Config,
  secret: string,
  { url }: Service,
  { stdout }: CommandContext,
): Promise<Receiver> {
  const { startReceiver } = await import('./receiver.js');
  const { tryItLines } = await import('./try_it.js');
  const receiver = await startReceiver(({ body }) =>
    stdout(`receiver got ${Buffer.byteLength(body)} bytes\n`),
  );
  stdout(tryItLines({ relayUrl: url, receiverUrl: receiver.url, secret, name }));
  return receiver;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve());
  });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
