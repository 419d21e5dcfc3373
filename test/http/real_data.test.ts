import { readFileSync, readdirSync } from 'node:fs';
import test from 'ava';
import { startRelay } from '../helpers/relay.js';
import { startDestination } from '../helpers/scripted_destination.js';

const directory = 'examples/data';
const files = readdirSync(directory);

test('there is real data to send', (t) => {
  t.true(files.length >= 4);
});

for (const file of files) {
  const text = readFileSync(`${directory}/${file}`, 'utf8');

  test(`${file} arrives byte for byte as a string`, async (t) => {
    const [relay, destination] = [await startRelay(t), await startDestination(t)];
    const { json } = await relay.submit(destination.url, text);
    t.is((await relay.finished(json.id)).ext_response.status, '200 OK');
    t.deepEqual(destination.arrivals[0]?.body, readFileSync(`${directory}/${file}`));
  });

  test(`${file} arrives byte for byte as a bare value`, async (t) => {
    const [relay, destination] = [await startRelay(t), await startDestination(t)];
    const body = `{"data" : ${text} , "uri":${JSON.stringify(destination.url)},"id":""}`;
    const { json } = await relay.post('/export', body);
    t.is((await relay.finished(json.id)).ext_response.status, '200 OK');
    t.is(destination.arrivals[0]?.body.toString(), text.trim());
  });
}
