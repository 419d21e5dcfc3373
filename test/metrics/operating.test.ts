import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { parse } from 'node:path';
import test from 'ava';
import { metricsUnderTest, readText } from '../helpers/metrics.js';
import {
  declaredMetrics,
  documentedLines,
  metricNamesIn,
  metricsTable,
  readmePart,
} from '../helpers/operating.js';

const folder = 'docs/operating';
/** Of Debian's package prometheus: a program of the machine, no dependency. */
const tool = 'promtool';
const hasPromtool = spawnSync(tool, ['--version']).status === 0;
/** Without it the tests of the rules are skipped, each saying so by its name. */
const withPromtool = hasPromtool ? test : test.skip;

function promtool(
  arguments_: readonly string[],
  input = '',
): { readonly status: number | null; readonly said: string } {
  const { status, stdout, stderr } = spawnSync(tool, arguments_, {
    input,
    encoding: 'utf8',
    cwd: folder,
  });
  return { status, said: stdout + stderr };
}

withPromtool('promtool finds nothing to say about the metrics', async (t) => {
  const metrics = metricsUnderTest({ processMetrics: true });
  metrics.observeJournalCommit(1);
  metrics.onRecordWrite({ ok: true, lines: 2, bytes: 900, durationMs: 1 });
  metrics.onRecordWrite({ ok: false });
  t.deepEqual(promtool(['check', 'metrics'], (await metrics.render()).body), { status: 0, said: '' });
});

withPromtool('promtool accepts the alert rules', (t) => {
  const { status, said } = promtool(['check', 'rules', '--lint=all', '--lint-fatal', 'alerts.yml']);
  t.is(status, 0, said);
});

withPromtool('each alert fires when it should and only then', (t) => {
  const { status, said } = promtool(['test', 'rules', 'alerts_test.yml']);
  t.is(status, 0, said);
});

test('names of metrics end in their unit, and those of counters in _total', async (t) => {
  const declared = await declaredMetrics();
  t.true(declared.length > 30);
  for (const { name, type, help } of declared) {
    t.is(name.endsWith('_total'), type === 'counter', name);
    t.notRegex(name, /_(?:ms|milliseconds|kb|mb|count|sum|bucket)(?:_|$)/, name);
    t.regex(help, /\.$/, name);
  }
});

test('the README lists every metric as the relay declares it', async (t) => {
  t.is(readmePart('metrics'), metricsTable(await declaredMetrics()));
});

for (const file of ['alerts.yml', 'alerts_test.yml', 'dashboard.json']) {
  test(`${file} uses only metrics that there are`, async (t) => {
    const declared = await declaredMetrics();
    const names = new Set(
      declared.flatMap(({ name, type }) =>
        type === 'histogram' ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name],
      ),
    );
    const used = metricNamesIn(readText(`${folder}/${file}`));
    t.true(used.length > 15);
    t.deepEqual(
      used.filter((name) => !names.has(name)),
      [],
    );
  });
}

test('every metric of the relay is on the dashboard', async (t) => {
  const shown = metricNamesIn(readText(`${folder}/dashboard.json`)).map((name) =>
    name.replace(/_(?:bucket|count)$/, ''),
  );
  const own = (await declaredMetrics())
    .map(({ name }) => name)
    .filter((name) => name.startsWith('export_relay_'));
  t.deepEqual(
    own.filter((name) => !shown.includes(name)),
    [],
  );
});

test('the dashboard is whole: a source and a place for each panel, and none on top of another', (t) => {
  const { panels } = JSON.parse(readText(`${folder}/dashboard.json`)) as {
    panels: readonly {
      id: number;
      type: string;
      gridPos: { x: number; y: number; w: number; h: number };
      targets?: readonly { expr: string }[];
    }[];
  };
  t.is(new Set(panels.map(({ id }) => id)).size, panels.length);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
  );
  t.is(new Set(cells).size, cells.length);
  for (const { type, targets = [] } of panels) t.is(targets.length > 0, type !== 'row');
});

test('each alert has its row in the README, and each row its alert', (t) => {
  const alerts = [...readText(`${folder}/alerts.yml`).matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
  const rows = [...readText(`${folder}/README.md`).matchAll(/^\| `(ExportRelay\w+)`/gm)].map(
    ([, name]) => name,
  );
  const tested = [...readText(`${folder}/alerts_test.yml`).matchAll(/- name: (\w+) (fires|does not fire)/g)];
  t.true(alerts.length > 10);
  t.deepEqual(rows, alerts);
  for (const alert of alerts) t.is(tested.filter(([, name]) => name === alert).length, 2, alert);
});

test('the README names every kind of line that the code writes, and no other', (t) => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter(
    (name) => parse(name).ext === '.ts',
  );
  const call =
    /\blog(?:ger)?(?:\[[^\]]+\]|\.(?:trace|debug|info|warn|error|fatal))\(\s*([^;]*?)'([^']+)',?\s*\)/g;
  const written = files.flatMap((file) =>
    [...readText(`src/${file}`).matchAll(call)].map(([, , kind = '']) => kind),
  );
  t.true(written.length >= 12);
  t.deepEqual([...documentedLines().keys()].sort(), [...new Set([...written, 'log lines lost'])].sort());
});
