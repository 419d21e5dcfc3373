import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { memberText } from '#relay/http/json_members.js';

for (const [text, expected, why] of [
  ['{"data":{}}', '{}', 'the plain case'],
  [' { "a" : 1 , "data" : [ 1.0 , 2 ] } ', '[ 1.0 , 2 ]', 'white space around it is not part of it'],
  ['{"data":{"a":"}"},"b":1}', '{"a":"}"}', 'a brace in a string'],
  ['{"a":"\\"","data":{"b":"\\\\"}}', '{"b":"\\\\"}', 'escaped quotes and backslashes'],
  ['{"d\\u0061ta":{"x":1}}', '{"x":1}', 'an escaped key is the same key'],
  ['{"data":1,"data":{"last":true}}', '{"last":true}', 'of repeated members the last counts'],
  ['{"a":{"data":[1]},"data":[2]}', '[2]', 'members of members are others'],
  ['{"data":"text"}', '"text"', 'a string with its quotes'],
  ['{"data":-1.50e+3}', '-1.50e+3', 'a number as written'],
  ['{"data":null,"x":0}', 'null', 'a word'],
  ['{}', undefined, 'no members'],
  ['{"other":1}', undefined, 'another member'],
] as const) {
  test(`the data of ${text} is ${String(expected)}: ${why}`, (t) => {
    t.is(memberText(text, 'data'), expected);
  });
}

test('what is cut out is what JSON.parse read, for any object and any spacing', (t) => {
  const member = fc.tuple(fc.oneof(fc.constant('data'), fc.string()), fc.jsonValue());
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(member), fc.constantFrom('', ' ', '\n\t '), fc.nat(3), (members, gap, indent) => {
        const written = members.map(
          ([key, value]) =>
            `${gap}${JSON.stringify(key)}${gap}:${gap}${JSON.stringify(value, null, indent)}${gap}`,
        );
        const text = `${gap}{${written.join(',')}}`;
        const last = members.filter(([key]) => key === 'data').at(-1);
        assert.equal(
          memberText(text, 'data'),
          last === undefined ? undefined : JSON.stringify(last[1], null, indent),
        );
      }),
    ),
  );
});

test('a million levels of nesting are cut out without a stack', (t) => {
  const nested = '['.repeat(1_000_000) + ']'.repeat(1_000_000);
  t.is(memberText(`{"data":${nested}}`, 'data'), nested);
});
