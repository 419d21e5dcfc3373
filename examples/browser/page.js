import { ExportClient, inspect } from './client/index.js';

// The page gets a job and a macaroon that can ask about this job and do nothing else.
const { id, macaroon } = await (await fetch('job')).json();
const client = new ExportClient({ url: new URL('relay', location.href).href, macaroon });

for await (const job of client.follow(id)) {
  const item = document.createElement('li');
  item.textContent = job.state;
  document.querySelector('#states').append(item);
  if (job.state === 'Finished')
    document.querySelector('#answer').textContent = job.error?.message ?? job.answer.text();
}

try {
  await client.submit('https://collector.example/in', {});
} catch (error) {
  const narrowed = inspect(macaroon).caveats.some(({ text }) => text === error.caveat);
  document.querySelector('#forbidden').textContent = narrowed
    ? `forbidden by ${error.caveat}`
    : String(error);
}
