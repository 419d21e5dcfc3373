import { type Command, exitStatus } from './command.js';

/** Shows an export from end to end on one machine. */
export const demo: Command = {
  name: 'demo',
  summary: 'show an export from end to end on this machine, with nothing configured',
  help: `Usage: export-relay demo

Starts a relay, a destination and a macaroon on this machine, exports twice, and shows every state on the way.

Example:
  export-relay demo
`,
  async run({ stderr }) {
    stderr('export-relay demo: this build has no service to run\n');
    return Promise.resolve(exitStatus.failed);
  },
};
