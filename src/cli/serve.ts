import { helpText, printConfig } from '../config/describe.js';
import type { SourcedConfig } from '../config/effective.js';
import { parseConfig } from '../config/parse.js';
import { type Command, type CommandContext, exitStatus, reportMistakes } from './command.js';

/** Runs the service, or says what its configuration is or what is wrong with it. */
export const serve: Command = {
  name: 'serve',
  summary: 'run the service',
  help: helpText(),
  async run(context) {
    const parsed = parseConfig(context);
    if (!parsed.ok) {
      reportMistakes(context, 'serve', parsed.mistakes);
      return parsed.usage ? exitStatus.usage : exitStatus.configuration;
    }
    for (const notice of parsed.notices) context.stderr(`export-relay serve: ${notice}\n`);
    if (parsed.printConfig) {
      context.stdout(printConfig(parsed));
      return exitStatus.done;
    }
    return runService(parsed, context);
  },
};

async function runService(_sourced: SourcedConfig, { stderr }: CommandContext): Promise<number> {
  stderr('export-relay serve: this build has no service to run\n');
  return Promise.resolve(exitStatus.failed);
}
