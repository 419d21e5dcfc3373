import { request } from 'undici';
import { ExportClient } from '../../helpers/export_client.js';
import { eventually } from '../../helpers/eventually.js';
import { HttpArbiter } from '../../helpers/http_arbiter.js';
import { Ledger } from '../../helpers/ledger.js';
import { secretsDirectory } from '../../helpers/platform.js';
import { mintWith } from '../../helpers/relay.js';
import { RelayProcess } from '../../helpers/relay_process.js';
import type { Cleanup } from '../../helpers/scripted_destination.js';
import { exactly, type Figure, type Scenario, scratch } from './scenario.js';

const token = 'the relay itself';

function tokenFor(root: string, ...caveats: readonly string[]): string {
  return mintWith({ root, caveats });
}

/** Statuses with a macaroon of this root, or with none that anybody could have minted. */
async function ask(url: string, macaroon: string, body: unknown): Promise<{ status: number; code: string }> {
  const client = new ExportClient(url, { macaroon, connections: 1 });
  const { status, json } = await client.post('/export', body);
  await client.close();
  return { status, code: json.code ?? '' };
}

async function arbiterOutage(t: Cleanup): Promise<readonly Figure[]> {
  const arbiter = await HttpArbiter.start('http');
  t.teardown(() => arbiter.close());
  arbiter.register(token);
  const [journal, ledger] = [await scratch(t), await Ledger.start(t)];
  const secrets = await secretsDirectory(t, { ARBITER_TOKEN: token });
  const options = {
    journal,
    withSecret: false,
    flags: [`--arbiter=${arbiter.endpoint}`, `--secrets-dir=${secrets}`],
  };
  const newJob = { id: '', uri: ledger.url, data: '{"pending":true}' };
  const ready = async (relay: RelayProcess): Promise<boolean> => {
    const { statusCode, body } = await request(`${relay.adminUrl}/readyz`);
    await body.dump();
    return statusCode === 200;
  };
  const told: string[] = [];
  // Down, then without a secret to give: no macaroon opens anything, whatever its root.
  arbiter.answerWith((_request, response) => response.destroy());
  const first = await RelayProcess.start(t, options);
  for (const root of ['default', 'undefined', arbiter.secret])
    told.push((await ask(first.url, tokenFor(root), newJob)).code);
  arbiter.answerWith((_request, response) => response.end(''));
  const asked = arbiter.requests.length;
  await eventually(() => arbiter.requests.length > asked, 15_000);
  for (const root of ['default', 'undefined', arbiter.secret])
    told.push((await ask(first.url, tokenFor(root), newJob)).code);
  const readyWithout = await ready(first);
  arbiter.behave();
  await eventually(() => ready(first), 20_000);

  const covering = `destination = ${ledger.url}`;
  const client = new ExportClient(first.url, { macaroon: tokenFor(arbiter.secret, covering) });
  const finished = await client.submit(ledger.url, '{"finished":true}');
  await client.finished(finished.json.id);
  ledger.answer = () => undefined;
  const pending: string[] = [];
  for (let number = 0; number < 5; number += 1) {
    pending.push((await client.submit(ledger.url, `{"number":${number}}`)).json.id);
  }
  await client.close();
  await first.kill();

  // The platform's arbiter gives another secret to a relay that asks again.
  const rotated = 'another secret';
  arbiter.answerWith((_request, response) => void setTimeout(() => response.end(rotated), 300));
  ledger.answer = (response) => response.end('ok');
  const second = await RelayProcess.start(t, options);
  // Nobody has to come for them.
  await eventually(() => pending.every((id) => ledger.count(id) > 0), 15_000);
  await eventually(() => ready(second), 15_000);
  const question = { id: finished.json.id };
  const old = await ask(second.url, tokenFor(arbiter.secret, covering), question);
  const elsewhere = await ask(
    second.url,
    tokenFor(rotated, 'destination = https://elsewhere.example/'),
    question,
  );
  const fresh = new ExportClient(second.url, { macaroon: tokenFor(rotated, covering) });
  let unread = 0;
  for (const id of [...pending, finished.json.id]) {
    if (!(await fresh.delivered(id))) unread += 1;
  }
  await fresh.close();
  await second.kill();
  return [
    exactly(
      'submissions without a known secret not refused with no_secret',
      0,
      told.filter((code) => code !== 'no_secret').length,
    ),
    exactly('ready without a secret', 0, Number(readyWithout)),
    exactly('status of an old macaroon after the rotation', 401, old.status),
    exactly(
      'jobs of before not delivered or not readable with a fresh macaroon for their destination',
      0,
      unread,
    ),
    exactly('status of a fresh macaroon for another destination', 404, elsewhere.status),
  ];
}

export const arbiter: readonly Scenario[] = [
  {
    id: 'r17',
    name: 'jobs outlive an arbiter that is down, has nothing to give and rotates the secret',
    run: arbiterOutage,
  },
];
