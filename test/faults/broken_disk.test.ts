import test from 'ava';
import { ExportClient } from '../helpers/export_client.js';
import { Ledger } from '../helpers/ledger.js';
import { RelayProcess } from '../helpers/relay_process.js';
import { scratch } from './figures/scenario.js';

const everySync = { kind: 'fail', operation: 'sync', code: 'EIO', skip: 0, count: 1e6 } as const;

test('a dry run says that the journal cannot be written, as a submission would, until it can be', async (t) => {
  const ledger = await Ledger.start(t);
  const relay = await RelayProcess.start(t, { journal: await scratch(t), interposed: true });
  const client = new ExportClient(relay.url);
  const dryRun = (): ReturnType<ExportClient['post']> =>
    client.post('/export?dry_run=true', { id: '', uri: ledger.url, data: '{}' });
  t.is((await dryRun()).status, 200);
  await relay.order(everySync);
  const { status, json, retryAfter } = await dryRun();
  t.like(
    { status, code: json.code, retryAfter },
    { status: 503, code: 'storage_unavailable', retryAfter: '5' },
  );
  t.is((await client.submit(ledger.url, '{}')).json.code, 'storage_unavailable');
  await relay.order({ kind: 'heal' });
  t.is((await dryRun()).status, 200);
  t.true(await client.delivered((await client.submit(ledger.url, '{}')).json.id));
  await client.close();
});

test('a stop while the disk fails takes its time, loses nothing and succeeds', async (t) => {
  const journal = await scratch(t);
  const ledger = await Ledger.start(t);
  const relay = await RelayProcess.start(t, { journal, interposed: true, logLevel: 'info' });
  const client = new ExportClient(relay.url);
  const { json } = await client.submit(ledger.url, '{}');
  await client.finished(json.id);
  await client.close();
  await relay.order(everySync);
  const { status, afterMs } = await relay.stop();
  t.is(status, 0, relay.stdout);
  t.true(afterMs < 10_000);
  t.regex(relay.stdout, /not flushed once more/);
  const next = await RelayProcess.start(t, { journal });
  t.is((await new ExportClient(next.url).poll(json.id)).json.state, 'Finished');
});
