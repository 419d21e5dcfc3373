import { ExportClient } from '../../helpers/export_client.js';
import { Ledger } from '../../helpers/ledger.js';
import { RelayProcess } from '../../helpers/relay_process.js';
import type { Cleanup } from '../../helpers/scripted_destination.js';
import { exactly, type Figure, type Scale, type Scenario, scratch } from './scenario.js';

async function secondRelay(t: Cleanup, scale: Scale): Promise<readonly Figure[]> {
  const journal = await scratch(t);
  const ledger = await Ledger.start(t);
  const first = await RelayProcess.start(t, { journal });
  const client = new ExportClient(first.url);
  const ids: string[] = [];
  const submit = async (): Promise<void> => {
    const { json } = await client.submit(ledger.url, `{"number":${ids.length}}`);
    ids.push(json.id);
  };
  await submit();
  const starts = scale === 'full' ? 20 : 1;
  let [refused, listened] = [0, 0];
  for (let start = 0; start < starts; start += 1) {
    // One that does not run at the moment has its journal all the same.
    if (start % 2 === 0) first.signal('SIGSTOP');
    const second = RelayProcess.spawn(t, { journal });
    const { status, signal, stderr } = await second.exited();
    if (start % 2 === 0) first.signal('SIGCONT');
    if (
      status === 1 &&
      signal === null &&
      stderr.includes('is in use by another process. Stop that one first')
    )
      refused += 1;
    if (second.stdout.includes('listening')) listened += 1;
    await submit();
  }
  let unfinished = 0;
  for (const id of ids) {
    if (!(await client.delivered(id))) unfinished += 1;
  }
  await client.close();
  const { status } = await first.stop();
  return [
    exactly('second relays that ended with status 1 and the reason', starts, refused),
    exactly('of these, listened before', 0, listened),
    exactly('jobs of the first not delivered', 0, unfinished + (ledger.arrivals - ids.length)),
    exactly('exit status of the first when stopped', 0, status ?? -1),
  ];
}

export const second: readonly Scenario[] = [
  { id: 'r16', name: 'a second relay on the same journal ends before it listens', run: secondRelay },
];
