import { connect } from 'node:net';
import { ExportClient } from '../../helpers/export_client.js';
import { Ledger } from '../../helpers/ledger.js';
import { mint } from '../../helpers/relay.js';
import { RelayProcess } from '../../helpers/relay_process.js';
import type { Cleanup } from '../../helpers/scripted_destination.js';
import { exactly, type Figure, type Scale, type Scenario, scratch } from './scenario.js';

/** Asks for a job, and dies when the answer is on its way: without having read it, or after its first bytes. */
function askAndDie(url: string, id: string, macaroon: string, readSome: boolean): Promise<void> {
  const body = JSON.stringify({ id });
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(
    `POST /export HTTP/1.1\r\nhost: relay\r\nx-api-key: ${macaroon}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
    // `readable` tells that something has come; nothing is taken from the socket unless it is read.
    socket.once('readable', () => {
      if (readSome) socket.read(1);
      socket.resetAndDestroy();
    });
  });
}

async function clientsThatDie(t: Cleanup, scale: Scale): Promise<readonly Figure[]> {
  const jobs = scale === 'full' ? 1000 : 10;
  const journal = await scratch(t);
  const ledger = await Ledger.start(t);
  ledger.answer = (response, { body }) => response.end(`result of ${body.toString()}`);
  let relay = await RelayProcess.start(t, { journal });
  let client = new ExportClient(relay.url);
  const accepted = new Map<string, string>();
  for (let number = 0; number < jobs; number += 1) {
    const data = `{"number":${number}}`;
    const { json } = await client.submit(ledger.url, data);
    accepted.set(json.id, data);
  }
  const macaroon = mint();
  const unread = async (): Promise<number> => {
    let missing = 0;
    for (const [id, data] of accepted) {
      const { json } = await client.poll(id);
      if (json.ext_response.body !== `result of ${data}`) missing += 1;
    }
    return missing;
  };
  let deaths = 0;
  for (const id of accepted.keys()) {
    await client.finished(id);
    for (const readSome of [false, true]) {
      await askAndDie(relay.url, id, macaroon, readSome);
      deaths += 1;
    }
  }
  const missing = await unread();
  await relay.kill();
  await client.close();
  relay = await RelayProcess.start(t, { journal });
  client = new ExportClient(relay.url);
  const missingAfterKill = await unread();
  await client.close();
  return [
    exactly('clients that died before they had read their answer', 2 * jobs, deaths),
    exactly('results that the next poll did not bring', 0, missing),
    exactly('results that were gone after kill -9', 0, missingAfterKill),
  ];
}

export const lostAnswer: readonly Scenario[] = [
  { id: 'r18', name: 'a result that got lost on its way is there for the next poll', run: clientsThatDie },
];
