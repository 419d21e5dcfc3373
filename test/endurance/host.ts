import { readFile } from 'node:fs/promises';

/** Columns of the first line of `/proc/stat` (proc(5)): work of any kind, and what the host took for others. */
const busy = [1, 2, 3, 6, 7];
const stolen = 8;

interface Times {
  readonly got: number;
  readonly wanted: number;
}

/** The host of a virtual machine, which gives its processors' time to others as well. */
export class Host {
  readonly #read: () => Promise<string>;
  #before: Times = { got: 0, wanted: 0 };

  /** `read` gives what `/proc/stat` says; nothing where there is none. */
  constructor(read: () => Promise<string> = procStat) {
    this.#read = read;
  }

  /** Of the processor time that was wanted since this was asked before, what was got: 1 is all, or not known. */
  async granted(): Promise<number> {
    const now = timesIn(await this.#read());
    const wanted = now.wanted - this.#before.wanted;
    const got = now.got - this.#before.got;
    this.#before = now;
    return wanted > 0 ? got / wanted : 1;
  }
}

function procStat(): Promise<string> {
  return readFile('/proc/stat', 'utf8').catch(() => '');
}

function timesIn(text: string): Times {
  const [all = ''] = text.split('\n', 1);
  const spent = all.split(/ +/).map(Number);
  const got = busy.reduce((sum, column) => sum + (spent[column] ?? 0), 0);
  return { got, wanted: got + (spent[stolen] ?? 0) };
}
