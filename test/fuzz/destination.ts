import { BlockList, isIP } from 'node:net';
import { type Destination, parseDestination } from '#relay/egress/destination.js';
import { judgeDestination } from '#relay/egress/policy.js';
import { destinationCases } from '../helpers/destination_cases.js';
import { policy } from '../helpers/egress.js';
import { attempted, corpusLines, must, type Target } from './target.js';

/** Networks as the platform understands them, which shares no code with the relay's policy. */
function networks(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    list.addSubnet(address, Number(bits), isIP(address) === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}

const { ipv4Deny, ipv6AllowOnly, ipv6DenyInside } = destinationCases().referenceRule;
const denied4 = networks(ipv4Deny);
const allowed6 = networks([ipv6AllowOnly]);
const denied6 = networks(ipv6DenyInside);
const allowedByOperator = networks(['10.0.0.0/8', 'fc00::/7']);
const own = { address: '93.184.216.34', port: 443 };

const standard = policy();
const lenient = policy({ allowHttp: true, allowNetworks: ['10.0.0.0/8', 'fc00::/7'] });
const listed = policy({ allowDestinations: ['https://receiver.example/in/*', 'https://one.example/x?y=1'] });

function isPublic(address: string): boolean {
  if (isIP(address) === 4) return !denied4.check(address, 'ipv4');
  return allowed6.check(address, 'ipv6') && !denied6.check(address, 'ipv6');
}

function isAllowedByOperator(address: string): boolean {
  return allowedByOperator.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');
}

/** What was parsed is what everybody else reads, and stays the same when it is parsed again. */
function judgeParsed(text: string, { href, origin, protocol, host, address, port, path }: Destination): void {
  const again = parseDestination(href);
  must(again.ok, 'the normal form of a destination is none');
  const { destination } = again;
  must(destination.href === href && destination.origin === origin, 'parsing has no fixed point');
  must(
    destination.host === host && destination.port === port,
    'another host or port is parsed the second time',
  );
  must(
    destination.path === path && destination.address === address,
    'another path or address the second time',
  );
  const url = new URL(text);
  must(
    url.href === href && url.protocol === protocol && url.username === '',
    'the platform reads another URL',
  );
  must(url.hostname.replace(/^\[|\]$/g, '') === host, 'the platform reads another host');
  must(!host.endsWith('.'), 'a host with a dot at its end');
  must(url.hash === '' && !/[@\\\s]/.test(origin), 'an origin that can be misread');
  must((isIP(host) === 0 ? undefined : host) === address, 'an address that is not known as one');
  must(port >= 0 && port <= 65535 && path.startsWith('/'), 'a port or a path that is none');
}

/** The host of what is allowed is a name, and none that a resolver reads as an address or the loopback. */
function judgeHost({ host, address }: Destination, isReachable: (address: string) => boolean): void {
  if (address !== undefined) {
    must(isReachable(address), 'an address that may not be reached is allowed');
    return;
  }
  must(!/(^|\.)localhost\.?$/i.test(host), 'the loopback is allowed by name');
  must(!/(^|\.)(\d+|0x[0-9a-f]*)\.?$/i.test(host) && !host.includes(':'), 'a number is allowed as a name');
}

/** uris, and the egress policy's verdict on what they say. */
export const destination: Target = {
  name: 'destination',
  maxBytes: 10_000,
  dictionary: [
    ...[
      'https://',
      'http://',
      'HTTPS:',
      '//',
      '/',
      '\\',
      '@',
      ':@',
      ':443',
      ':65536',
      ':0',
      '#',
      '?',
      '%',
      '%00',
    ],
    ...[
      '%2f',
      '%2e',
      '%5c',
      '%40',
      '%E3%80%82',
      '.',
      '..',
      '/../',
      '。',
      '．',
      '\u00ad',
      '\u200d',
      '\u212a',
      'ß',
    ],
    ...['127.1', '0x7f000001', '2130706433', '017700000001', '①②⑦.⓪.⓪.①', '[::1]', '[::ffff:7f00:1]', '0'],
    ...[
      '[64:ff9b::7f00:1]',
      '[2002:7f00:1::]',
      '[fe80::1%25eth0]',
      '10.0.0.1',
      '169.254.169.254',
      'localhost',
    ],
    ...[
      '.localhost',
      'xn--',
      'xn--a',
      'receiver.example',
      '93.184.216.34',
      '*',
      '\t',
      '\n',
      ' ',
      '\ufeff',
      '[',
      ']',
    ],
  ],
  corpus: () =>
    [...destinationCases().urls.map(({ url }) => url), ...corpusLines('destination/uris.txt')].map((text) =>
      Buffer.from(text),
    ),
  open: () => (input) => {
    const text = input.toString();
    const parsed = parseDestination(text);
    if (!parsed.ok) {
      must(parsed.reason !== '', 'refused without a reason');
      return;
    }
    must(attempted(() => new URL(text)) !== undefined, 'the platform reads no URL');
    judgeParsed(text, parsed.destination);
    const { href, protocol, address, port } = parsed.destination;
    if (judgeDestination(parsed.destination, standard, [own]).allowed) {
      must(protocol === 'https:', 'http: is allowed');
      judgeHost(parsed.destination, isPublic);
      must(address !== own.address || port !== own.port, "the relay's own listener is allowed");
    }
    if (judgeDestination(parsed.destination, lenient, []).allowed) {
      judgeHost(parsed.destination, (one) => isPublic(one) || isAllowedByOperator(one));
    }
    if (judgeDestination(parsed.destination, listed, []).allowed) {
      const isListed =
        href.startsWith('https://receiver.example/in/') || href === 'https://one.example/x?y=1';
      must(isListed && !/%2f|%5c/i.test(href), 'a destination that is not listed is allowed');
    }
  },
};
