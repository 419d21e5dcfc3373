import { ExportClient } from '../../helpers/export_client.js';
import type { Point } from '../../helpers/interposer.js';
import { Ledger } from '../../helpers/ledger.js';
import { RelayProcess } from '../../helpers/relay_process.js';
import type { Cleanup } from '../../helpers/scripted_destination.js';
import { exactly, type Figure, type Scale, type Scenario, scratch } from './scenario.js';

type Moment = Point | 'in flight';

/** Where the data may have left while nothing says so yet. */
const mayRepeat: ReadonlySet<Moment> = new Set<Moment>([
  'in flight',
  'end before write',
  'end before sync',
  // Here it is another job, as the sweep comes at any moment.
  'remove before write',
  'remove before sync',
  'remove after sync',
  'before unlink',
]);

const points: Readonly<Record<Scale, readonly Moment[]>> = {
  short: ['accept after sync', 'in flight', 'end before write'],
  full: [
    'accept before write',
    'accept before sync',
    'accept after sync',
    'begin before write',
    'begin before sync',
    'begin after sync',
    'before post',
    'in flight',
    'end before write',
    'end before sync',
    'end after sync',
  ],
};

const sweepPoints: Readonly<Record<Scale, readonly Moment[]>> = {
  short: ['remove before sync'],
  full: ['remove before write', 'remove before sync', 'remove after sync'],
};

/** Relays on one journal, one after another, each killed at another point. */
class Chain {
  readonly #t: Cleanup;
  readonly #journal: string;
  readonly #flags: readonly string[];
  readonly ledger: Ledger;
  readonly accepted = new Map<string, string>();
  readonly arrivedBefore = new Map<string, number>();
  unreadable = 0;
  killed = 0;
  /** Arrivals of what had arrived in an earlier life. */
  readonly repeated = new Map<Moment, number>();
  mostRepeated = 0;
  twiceInOneLife = 0;
  #last: Moment | undefined;
  #submitted = 0;

  constructor(t: Cleanup, journal: string, ledger: Ledger, flags: readonly string[]) {
    this.#t = t;
    this.#journal = journal;
    this.ledger = ledger;
    this.#flags = flags;
  }

  async killAt(moment: Moment, crossing: number, body: string): Promise<void> {
    const relay = await RelayProcess.start(this.#t, {
      journal: this.#journal,
      interposed: true,
      flags: this.#flags,
    });
    const client = new ExportClient(relay.url);
    this.ledger.answer = (response) => void setTimeout(() => response.end('ok'), 2);
    // Behind what the life before has left in the lane, whose ends would else be under way at the kill.
    await this.#submitOne(client, body);
    if (moment === 'in flight') {
      const at = this.ledger.arrivals + crossing;
      this.ledger.answer = (response) => {
        if (this.ledger.arrivals >= at) void relay.kill();
        else response.end('ok');
      };
    } else await relay.order({ kind: 'kill', point: moment, crossing });
    await this.#submit(client, body);
    const { signal } = await relay.exited();
    if (signal === 'SIGKILL') this.killed += 1;
    await client.close();
    this.#count(moment);
  }

  /** A last life, in which everything comes to its end. */
  async finish(): Promise<void> {
    this.ledger.answer = (response) => response.end('ok');
    const relay = await RelayProcess.start(this.#t, { journal: this.#journal, flags: this.#flags });
    const client = new ExportClient(relay.url);
    for (const id of this.accepted.keys()) {
      const { status, json } = await client.finished(id);
      if (status !== 200 || json.state !== 'Finished') this.unreadable += 1;
    }
    await client.close();
    await relay.kill();
    this.#count(undefined);
  }

  /** One job after another, so that what happens to each is known to the letter. */
  async #submit(client: ExportClient, body: string): Promise<void> {
    for (;;) {
      try {
        await this.#submitOne(client, body);
      } catch {
        return;
      }
    }
  }

  async #submitOne(client: ExportClient, body: string): Promise<void> {
    const data = `{"number":${(this.#submitted += 1)},"body":"${body}"}`;
    const { status, json } = await client.submit(this.ledger.url, data);
    if (status === 200) this.accepted.set(json.id, data);
    await client.finished(json.id);
  }

  /** What the life that has ended delivered again is due to the kill before it. */
  #count(ended: Moment | undefined): void {
    let again = 0;
    for (const [id, { bodies }] of this.ledger.deliveries) {
      const before = this.arrivedBefore.get(id) ?? 0;
      const now = bodies.length - before;
      if (now > 1) this.twiceInOneLife += 1;
      if (before > 0) again += now;
      this.arrivedBefore.set(id, bodies.length);
    }
    if (this.#last !== undefined && again > 0) {
      this.repeated.set(this.#last, (this.repeated.get(this.#last) ?? 0) + again);
    }
    this.mostRepeated = Math.max(this.mostRepeated, again);
    this.#last = ended;
  }

  figures(kills: number): readonly Figure[] {
    const undelivered = [...this.accepted.keys()].filter((id) => this.ledger.count(id) === 0).length;
    const elsewhere = [...this.repeated.keys()].filter((moment) => !mayRepeat.has(moment));
    return [
      exactly('kills at the named point', kills, this.killed),
      exactly(`of ${this.accepted.size} accepted jobs, never delivered`, 0, undelivered),
      exactly(
        'points with repeated deliveries other than between POST and stored result',
        0,
        elsewhere.length,
      ),
      {
        what: 'repeated deliveries of one kill, at most',
        asked: '≤ 1',
        seen: String(this.mostRepeated),
        met: this.mostRepeated <= 1,
      },
      exactly('jobs delivered twice without a kill between', 0, this.twiceInOneLife),
      exactly('deliveries while another of the same job was under way', 0, this.ledger.overlaps),
      exactly('arrivals with the data of another job', 0, this.ledger.wrong(this.accepted)),
    ];
  }
}

async function killAtPoints(t: Cleanup, scale: Scale): Promise<readonly Figure[]> {
  const chain = new Chain(t, await scratch(t), await Ledger.start(t), []);
  const rounds = scale === 'full' ? 20 : 1;
  for (let round = 0; round < rounds; round += 1) {
    for (const point of points[scale]) await chain.killAt(point, 1 + Math.floor(Math.random() * 8), 'small');
  }
  await chain.finish();
  return [
    ...chain.figures(rounds * points[scale].length),
    exactly('accepted jobs not readable', 0, chain.unreadable),
  ];
}

async function killWhileForgetting(t: Cleanup, scale: Scale): Promise<readonly Figure[]> {
  const chain = new Chain(t, await scratch(t), await Ledger.start(t), ['--result-ttl=100ms']);
  const rounds = scale === 'full' ? 20 : 1;
  for (let round = 0; round < rounds; round += 1) {
    for (const point of sweepPoints[scale]) await chain.killAt(point, 1, 'small');
  }
  await chain.finish();
  return chain.figures(rounds * sweepPoints[scale].length);
}

async function killWhileCompacting(t: Cleanup, scale: Scale): Promise<readonly Figure[]> {
  const flags = ['--result-ttl=100ms', '--max-body=8mb', '--max-memory=1gb'];
  const chain = new Chain(t, await scratch(t), await Ledger.start(t), flags);
  const rounds = scale === 'full' ? 20 : 1;
  for (let round = 0; round < rounds; round += 1) {
    await chain.killAt('before unlink', 1, 'x'.repeat(7 * 1024 * 1024));
  }
  await chain.finish();
  return chain.figures(rounds);
}

export const killPoints: readonly Scenario[] = [
  {
    id: 'r02',
    name: 'kill -9 at each step of a job loses nothing, and repeats at most what may have left unnoticed',
    run: killAtPoints,
  },
  {
    id: 'r02',
    name: 'kill -9 while results are forgotten loses nothing',
    fullOnly: true,
    run: killWhileForgetting,
  },
  {
    id: 'r02',
    name: 'kill -9 while files of the journal are taken away loses nothing',
    fullOnly: true,
    run: killWhileCompacting,
  },
];
