import { problemKinds } from '../http/problem.js';
import { statusLine } from '../http/status_line.js';
import { gatewayStatus } from '../http/view.js';
import { jobErrorHelp, problemHelp, ruleHelp } from './help.js';
import { problemCodes } from './schemas.js';

/** Every problem as a Markdown table, by status, for docs/errors.md. */
export function problemTable(): string {
  const rows = problemCodes
    .map((code) => ({ code, status: problemKinds[code].status, ...problemHelp[code] }))
    .sort((a, b) => a.status - b.status)
    .map(({ code, status, means, todo }) => `| ${status} | \`${code}\` | ${means} | ${todo} |`);
  return ['| status | code | means | what to do |', '|---|---|---|---|', ...rows, ''].join('\n');
}

/** Every `ext_response.error.code` as a Markdown table, for docs/errors.md. */
export function jobErrorTable(): string {
  const rows = jobErrorCodes.map(
    (code) =>
      `| \`${code}\` | ${statusLine(gatewayStatus[code])} | ${jobErrorHelp[code].means} | ${jobErrorHelp[code].todo} |`,
  );
  return ['| code | status | means | what to do |', '|---|---|---|---|', ...rows, ''].join('\n');
}

/** Every `rule` of `destination_refused` as a Markdown table, for docs/errors.md. */
export function ruleTable(): string {
  const rows = Object.entries(ruleHelp).map(
    ([rule, { means, todo }]) => `| \`${rule}\` | ${means} | ${todo} |`,
  );
  return ['| rule | means | what to do |', '|---|---|---|', ...rows, ''].join('\n');
}

const jobErrorCodes = Object.keys(gatewayStatus).filter(
  (code): code is keyof typeof gatewayStatus => code in gatewayStatus,
);
