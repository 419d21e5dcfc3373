// An app exports its readings and shows what becomes of them: node examples/node-app.js
import { readFile } from 'node:fs/promises';
import { ExportClient, ExportError } from 'export-relay/client';
import { startBox, startService } from './support/box.js';

const service = await startService((_path, _headers, body) => ({
  status: 201,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ stored: JSON.parse(body).length ?? 1 }),
}));
const box = await startBox();
const client = new ExportClient(box);
try {
  const readings = await readFile(new URL('data/readings.json', import.meta.url), 'utf8');
  const answer = await client.export(`${service.url}/readings`, readings, {
    purpose: 'backup of the readings',
    onState: ({ state }) => console.log(state),
  });
  console.log(answer.statusLine, answer.text());
} catch (error) {
  if (!(error instanceof ExportError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await box.stop();
  service.stop();
}
