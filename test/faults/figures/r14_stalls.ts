import { setTimeout as delay } from 'node:timers/promises';
import type { ServerResponse } from 'node:http';
import { ExportClient } from '../../helpers/export_client.js';
import { Ledger } from '../../helpers/ledger.js';
import { mintWith } from '../../helpers/relay.js';
import { RelayProcess } from '../../helpers/relay_process.js';
import type { Cleanup } from '../../helpers/scripted_destination.js';
import { exactly, type Figure, type Scale, type Scenario, scratch } from './scenario.js';

const lanes = 10;

/** Stalls a relay with attempts in flight that are answered meanwhile, attempts that never are, and long polls. */
async function stall(
  t: Cleanup,
  flags: readonly string[],
  stop: (relay: RelayProcess) => Promise<void>,
): Promise<readonly Figure[]> {
  const relay = await RelayProcess.start(t, { journal: await scratch(t), interposed: true, flags });
  const ledger = await Ledger.start(t);
  const held: ServerResponse[] = [];
  ledger.answer = (response) => void held.push(response);
  const clients = Array.from(
    { length: lanes },
    (_, number) => new ExportClient(relay.url, { macaroon: mintWith({ identifier: `app ${number}` }) }),
  );
  const jobs = await Promise.all(
    clients.flatMap((client) =>
      [1, 2, 3].map(async (number) => {
        const { json } = await client.submit(ledger.url, `{"number":${number}}`);
        return { client, id: json.id };
      }),
    ),
  );
  await ledger.arrived(lanes);
  const polls = jobs.map(({ client, id }) =>
    client.post('/lp/export?timeout=5', { id }).then(
      ({ status }) => (status === 200 ? 'answered' : `answered ${status}`),
      () => 'reset',
    ),
  );
  await delay(50);
  const stalled = stop(relay);
  ledger.answer = (response) => response.end('ok');
  for (const response of held) response.end('ok');
  await stalled;
  const told = await Promise.all(polls);
  let [unfinished, extra] = [0, 0];
  for (const { client, id } of jobs) {
    const { json } = await client.finished(id);
    if (json.ext_response.status !== '200 OK') unfinished += 1;
    extra += ledger.count(id) - 1;
  }
  const [first] = clients;
  const accepted = await first?.submit(ledger.url, '{"later":true}');
  const later = await first?.finished(accepted?.json.id ?? '');
  await Promise.all(clients.map((client) => client.close()));
  const { status } = await relay.stop();
  return [
    exactly(`of ${jobs.length} jobs, not finished with the answer`, 0, unfinished),
    exactly('jobs delivered more than once', 0, extra),
    exactly('deliveries while another of the same job was under way', 0, ledger.overlaps),
    exactly(
      `of ${told.length} held long polls, neither answered nor reset`,
      0,
      told.filter((outcome) => outcome !== 'answered' && outcome !== 'reset').length,
    ),
    exactly(
      'jobs accepted afterwards and not delivered',
      0,
      later?.json.ext_response.status === '200 OK' ? 0 : 1,
    ),
    exactly('exit status of a stop afterwards', 0, status ?? -1),
  ];
}

/** Longer than an attempt may take, so that its deadline passes meanwhile. */
function stopped(t: Cleanup, scale: Scale): Promise<readonly Figure[]> {
  const [ms, flags] = scale === 'full' ? [120_000, []] : [4500, ['--attempt-timeout=4s', '--max-wait=1s']];
  return stall(t, flags, async (relay) => {
    relay.signal('SIGSTOP');
    await delay(ms);
    relay.signal('SIGCONT');
  });
}

function blocked(t: Cleanup, scale: Scale): Promise<readonly Figure[]> {
  const [ms, flags] = scale === 'full' ? [40_000, []] : [4500, ['--attempt-timeout=4s', '--max-wait=1s']];
  return stall(t, flags, async (relay) => {
    await relay.order({ kind: 'block', ms });
  });
}

export const stalls: readonly Scenario[] = [
  { id: 'r14', name: 'a relay that was stopped and continued delivers each job once', run: stopped },
  { id: 'r14', name: 'a relay whose event loop was blocked delivers each job once', run: blocked },
];
