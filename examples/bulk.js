// Many records, each an export of its own, a few at a time, with progress: node examples/bulk.js [NUMBER]
import { ExportClient, ExportError } from 'export-relay/client';
import { startBox, startService } from './support/box.js';

const number = Number(process.argv[2] ?? 200);
const atOnce = 8;

const received = new Set();
const service = await startService((_path, _headers, body) => {
  const { record } = JSON.parse(body);
  received.add(record);
  // Every hundredth record is one that the service does not want.
  return record % 100 === 99 ? { status: 422, body: 'unwanted' } : { status: 200 };
});
const box = await startBox();
const client = new ExportClient(box);

let done = 0;
const failed = [];
const records = Array.from({ length: number }, (_, record) => ({ record }));

async function worker() {
  for (let next = records.shift(); next !== undefined; next = records.shift()) {
    try {
      // A key of its own for each record: were this program to crash and start again, nothing would arrive twice.
      const options = { idempotencyKey: `record-${next.record}`, purpose: 'bulk export' };
      const answer = await client.export(`${service.url}/records`, next, options);
      if (!answer.ok) failed.push(`record ${next.record}: ${answer.statusLine}`);
    } catch (error) {
      if (!(error instanceof ExportError)) throw error;
      failed.push(`record ${next.record}: ${error.message}`);
    }
    done += 1;
    if (process.stderr.isTTY) process.stderr.write(`\r${done}/${number}`);
    else if (done % 50 === 0) process.stderr.write(`${done}/${number}\n`);
  }
}

try {
  await Promise.all(Array.from({ length: atOnce }, worker));
  if (process.stderr.isTTY) process.stderr.write('\n');
  console.log(`${done - failed.length} of ${number} exported, ${received.size} received`);
  for (const line of failed) console.log(line);
} finally {
  await box.stop();
  service.stop();
}
