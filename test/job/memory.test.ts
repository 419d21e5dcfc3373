import test from 'ava';
import { settled } from '../helpers/fake_clock.js';
import { accept, answered, createRegistry, destination, newJob, stateOf, uriBytes } from '../helpers/jobs.js';

test('headers, purpose and key count towards the memory limit, and headers no longer once the job has ended', async (t) => {
  const { registry, held } = createRegistry();
  const [name, value, purpose, idempotencyKey] = ['x-name', 'a value', 'wozu? für mich', 'a key'];
  await accept(registry, { headers: [[name, value]], purpose, idempotencyKey });
  const kept = uriBytes + Buffer.byteLength(purpose) + idempotencyKey.length;
  t.is(registry.stats().bytes, '{}'.length + name.length + value.length + kept);
  await settled();
  held.land(answered(200, { body: 'grüße' }));
  await settled();
  t.is(registry.stats().bytes, Buffer.byteLength('grüße') + kept);
});

test('uri and owner count towards the memory limit as long as a job is kept, and so do the headers of its answer', async (t) => {
  const { registry, held } = createRegistry();
  const owner = 'an app';
  const long = destination(`https://receiver.example/${'ü'.repeat(100)}`);
  await accept(registry, { owner, destination: long });
  const kept = owner.length + Buffer.byteLength(long.text) + long.href.length;
  t.is(registry.stats().bytes, '{}'.length + kept);
  await settled();
  held.land(answered(302, { headers: { location: 'elsewhere' }, body: 'there' }));
  await settled();
  t.is(registry.stats().bytes, 'there'.length + 'locationelsewhere'.length + kept);
});

test('a job too large for the memory there is pushes nothing out', async (t) => {
  const { registry, held } = createRegistry({ maxMemoryBytes: 100 + uriBytes });
  const read = await accept(registry);
  await settled();
  held.land(answered(200, { body: 'x'.repeat(90) }));
  await settled();
  registry.markRead(read.id);
  registry.markRead(read.id);
  const large = newJob({ dataBytes: 101 });
  t.like(await registry.submit(large), { ok: false, failure: { code: 'queue_full' } });
  t.is(await stateOf(registry, read.id), 'Finished');
  t.is(await registry.check(newJob({ dataBytes: 100 })), undefined);
  t.is(await stateOf(registry, read.id), 'Finished', 'a check changes nothing');
  await accept(registry, { dataBytes: 100 });
  t.is(await stateOf(registry, read.id), undefined, 'what fits once read results have gone is taken');
  t.is(registry.stats().bytes, 100 + uriBytes);
});

test('when all has been forgotten, nothing is counted', async (t) => {
  const { registry, held, clock } = createRegistry({ resultTtlMs: 1000 });
  for (let job = 0; job < 5; job += 1) {
    const { id } = await accept(registry, { purpose: 'p', idempotencyKey: String(job) });
    await settled();
    held.land(answered());
    await settled();
    if (job % 2 === 0) registry.markRead(id);
  }
  t.not(registry.stats().bytes, 0);
  await clock.advance(5000);
  t.like(registry.stats(), { bytes: 0, finished: 0, pending: 0, processing: 0 });
});
