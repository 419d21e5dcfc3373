import test from 'ava';
import { checkRequest, type RequestFacts } from '#relay/macaroon/caveats.js';
import { request, type Row, verdict } from '../helpers/macaroon_facts.js';
import { verified } from '../helpers/macaroons.js';

const requestRows: readonly Row<Partial<RequestFacts>>[] = [
  { caveat: 'target = export-service', refusal: undefined, why: 'it is the name' },
  {
    caveat: 'target = other-service',
    refusal: 'this service\'s name is "export-service"',
    why: 'it is another service',
  },
  {
    caveat: 'target = Export-Service',
    refusal: 'this service\'s name is "export-service"',
    why: 'names are case-sensitive',
  },
  {
    caveat: 'target = export*',
    refusal: 'this service\'s name is "export-service"',
    why: 'names have no wildcard',
  },
  { caveat: 'path = /lp/export', refusal: undefined, why: 'it is the path' },
  { caveat: 'path = /lp/*', refusal: undefined, why: 'it begins like the path' },
  { caveat: 'path = /lp*', refusal: undefined, why: 'a star needs no slash before it' },
  { caveat: 'path = *', refusal: undefined, why: 'every path begins with nothing' },
  { caveat: 'path = /lp/export*', refusal: undefined, why: 'nothing may follow the prefix' },
  { caveat: 'path = /export', refusal: 'the request\'s path is "/lp/export"', why: 'it is another path' },
  { caveat: 'path = /export*', refusal: 'the request\'s path is "/lp/export"', why: 'it begins otherwise' },
  { caveat: 'path = /lp', refusal: 'the request\'s path is "/lp/export"', why: 'it has no star' },
  {
    caveat: 'path = /*/export',
    refusal: 'the request\'s path is "/lp/export"',
    why: 'a star counts at the end only',
  },
  { caveat: 'path = /LP/export', refusal: 'the request\'s path is "/lp/export"', why: 'case counts' },
  { caveat: 'path = /lp/export/', refusal: 'the request\'s path is "/lp/export"', why: 'a slash counts' },
  { caveat: 'method = POST', refusal: undefined, why: 'it is the method' },
  { caveat: 'method = pOsT', refusal: undefined, why: 'case does not count' },
  { caveat: 'method = POST', facts: { method: 'post' }, refusal: undefined, why: 'nor in the request' },
  { caveat: 'method = GET', refusal: 'the request\'s method is "POST"', why: 'it is another method' },
  { caveat: 'time < 2026-01-01T00:00:00.001Z', refusal: undefined, why: 'a millisecond is left' },
  { caveat: 'time < 2026-01-01T01:00:00+00:59', refusal: undefined, why: 'a minute is left, in its zone' },
  {
    caveat: 'time < 2026-01-01T00:00:00Z',
    refusal: 'the time is now 2026-01-01T00:00:00.000Z',
    why: 'now must be earlier, not equal',
  },
  {
    caveat: 'time < 2026-01-01T00:59:00+01:00',
    refusal: 'the time is now 2026-01-01T00:00:00.000Z',
    why: 'it passed a minute ago, in its zone',
  },
  {
    caveat: 'time < 2025-12-31T23:59:59.999Z',
    refusal: 'the time is now 2026-01-01T00:00:00.000Z',
    why: 'it passed a millisecond ago',
  },
  {
    caveat: 'time < 2030-01-01T00:00:00',
    refusal: 'its time must be RFC 3339 with a zone, such as 2030-01-31T12:00:00Z',
    why: 'without a zone it could mean any of 27 hours',
  },
];

for (const { caveat, facts, refusal, why } of requestRows) {
  test(`${describe(caveat, facts)} is ${refusal === undefined ? 'satisfied' : 'refused'}: ${why}`, (t) => {
    t.deepEqual(checkRequest(verified(caveat), { ...request, ...facts }), verdict(caveat, refusal));
  });
}

function describe(caveat: string, facts: Partial<RequestFacts> | undefined): string {
  return facts === undefined ? caveat : `${caveat} with ${JSON.stringify(facts)}`;
}
