// A GraphQL mutation as destination, with a token that only the destination gets to see: node examples/graphql.js
import { ExportClient } from 'export-relay/client';
import { startBox, startService } from './support/box.js';

const token = 'a token of the service';
const service = await startService((_path, { authorization }, body) => {
  if (authorization !== `Bearer ${token}`)
    return { status: 401, body: '{"errors":[{"message":"who are you?"}]}' };
  const { variables } = JSON.parse(body);
  return { body: JSON.stringify({ data: { addEntry: { id: '1', title: variables.title } } }) };
});
const box = await startBox();
const client = new ExportClient(box);
try {
  const mutation = {
    query: 'mutation Add($title: String!) { addEntry(title: $title) { id title } }',
    variables: { title: 'a good day' },
  };
  for (const headers of [{}, { authorization: `Bearer ${token}` }]) {
    const answer = await client.export(`${service.url}/graphql`, mutation, { headers });
    // GraphQL reports errors in the body, often with status 200: look at both.
    const { data, errors } = answer.json();
    console.log(answer.statusLine, errors?.[0].message ?? data.addEntry.title);
  }
} finally {
  await box.stop();
  service.stop();
}
