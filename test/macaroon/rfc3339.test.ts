import test from 'ava';
import fc from 'fast-check';
import { parseRfc3339 } from '#relay/macaroon/rfc3339.js';

const times: readonly { readonly text: string; readonly instant: string }[] = [
  { text: '2030-01-31T12:00:00Z', instant: '2030-01-31T12:00:00.000Z' },
  { text: '2030-01-31t12:00:00z', instant: '2030-01-31T12:00:00.000Z' },
  { text: '2030-01-31T12:00:00+02:00', instant: '2030-01-31T10:00:00.000Z' },
  { text: '2030-01-01T00:30:00+01:00', instant: '2029-12-31T23:30:00.000Z' },
  { text: '2030-01-31T12:00:00-05:30', instant: '2030-01-31T17:30:00.000Z' },
  { text: '2030-01-31T12:00:00-00:00', instant: '2030-01-31T12:00:00.000Z' },
  { text: '2030-01-31T12:00:00+23:59', instant: '2030-01-30T12:01:00.000Z' },
  { text: '2030-01-31T12:00:00.5Z', instant: '2030-01-31T12:00:00.500Z' },
  { text: '2030-01-31T12:00:00.9999999Z', instant: '2030-01-31T12:00:00.999Z' },
  { text: '2030-01-31T12:00:00.001+00:00', instant: '2030-01-31T12:00:00.001Z' },
  { text: '2028-02-29T00:00:00Z', instant: '2028-02-29T00:00:00.000Z' },
  { text: '2000-02-29T00:00:00Z', instant: '2000-02-29T00:00:00.000Z' },
  { text: '1969-12-31T23:59:59Z', instant: '1969-12-31T23:59:59.000Z' },
  { text: '9999-12-31T23:59:59Z', instant: '9999-12-31T23:59:59.000Z' },
  { text: '0050-01-01T00:00:00Z', instant: '0050-01-01T00:00:00.000Z' },
];

for (const { text, instant } of times) {
  test(`${text} is ${instant}`, (t) => {
    t.is(parseRfc3339(text), Date.parse(instant));
  });
}

const refused: readonly { readonly text: string; readonly why: string }[] = [
  { text: '2030-01-31T12:00:00', why: 'it has no zone' },
  { text: '2030-01-31T12:00Z', why: 'it has no seconds' },
  { text: '2020-01-01T00:00', why: 'it has neither' },
  { text: '2030-01-31', why: 'it is a day' },
  { text: '2030-01-31Z', why: 'it is a day with a zone' },
  { text: '2020-13-01T00:00:00Z', why: 'there is no 13th month' },
  { text: '2020-00-01T00:00:00Z', why: 'there is no month 0' },
  { text: '2030-02-30T00:00:00Z', why: 'February has no 30th day' },
  { text: '2029-02-29T00:00:00Z', why: '2029 is no leap year' },
  { text: '2100-02-29T00:00:00Z', why: '2100 is no leap year' },
  { text: '2030-04-31T00:00:00Z', why: 'April has 30 days' },
  { text: '2030-01-00T00:00:00Z', why: 'there is no day 0' },
  { text: '2030-01-32T00:00:00Z', why: 'there is no 32nd day' },
  { text: '2030-01-31T24:00:00Z', why: 'a day ends at 23:59:59' },
  { text: '2030-01-31T12:60:00Z', why: 'there is no 60th minute' },
  { text: '2016-12-31T23:59:60Z', why: 'the clock never shows a leap second' },
  { text: '2030-01-31T12:00:00+24:00', why: 'no offset is a day' },
  { text: '2030-01-31T12:00:00+01:60', why: 'no offset has 60 minutes' },
  { text: '2030-01-31T12:00:00+0100', why: 'the offset lacks its colon' },
  { text: '2030-01-31T12:00:00+01', why: 'the offset lacks its minutes' },
  { text: '2030-01-31T12:00:00 Z', why: 'it holds a space' },
  { text: '2030-01-31 12:00:00Z', why: 'it holds a space instead of T' },
  { text: '2030-01-31T12:00:00.Z', why: 'the fraction is empty' },
  { text: '2030-01-31T12:00:00,5Z', why: 'the fraction has a comma' },
  { text: '2030-1-31T12:00:00Z', why: 'the month has one digit' },
  { text: '+002030-01-31T12:00:00Z', why: 'the year has a sign' },
  { text: '30-01-31T12:00:00Z', why: 'the year has two digits' },
  { text: '٢٠٣٠-01-31T12:00:00Z', why: 'the digits are not ASCII' },
  { text: 'Thu, 31 Jan 2030 12:00:00 GMT', why: 'it is the format of HTTP' },
  { text: '1896091200', why: 'it is a number' },
  { text: '2030-01-31T12:00:00Z ', why: 'something follows' },
  { text: '2030-01-31T12:00:00Z\n', why: 'a line break follows' },
  { text: '', why: 'there is nothing' },
];

for (const { text, why } of refused) {
  test(`${JSON.stringify(text)} is no time: ${why}`, (t) => {
    t.is(parseRfc3339(text), undefined);
  });
}

test('every time written by Date is read as it was', (t) => {
  const years0To9999 = fc.date({
    min: new Date('0000-01-01'),
    max: new Date('9999-12-31'),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(years0To9999, (date) => {
      t.is(parseRfc3339(date.toISOString()), date.getTime());
    }),
  );
});
