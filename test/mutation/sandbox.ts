import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type PlayOptions, type Played, Player } from './player.js';

/** A copy of the project whose compiled code may be changed at will. */
export class Sandbox {
  readonly directory = mkdtempSync(join(tmpdir(), 'mutants-'));
  #player: Player | undefined;

  constructor() {
    for (const name of readdirSync('.')) {
      if (!/^(?:dist|build|coverage|node_modules|package\.json|\.git)$/.test(name)) {
        symlinkSync(resolve(name), join(this.directory, name));
      }
    }
    for (const name of ['package.json', 'dist', 'build/test', 'build/bench']) {
      cpSync(name, join(this.directory, name), { recursive: true });
    }
    // The tests find everything where it is but ava, in whose place something smaller stands.
    const modules = join(this.directory, 'node_modules');
    mkdirSync(join(modules, 'ava'), { recursive: true });
    for (const name of readdirSync('node_modules')) {
      if (name !== 'ava') symlinkSync(resolve('node_modules', name), join(modules, name));
    }
    writeFileSync(join(modules, 'ava/package.json'), '{"type":"module","exports":"./index.js"}');
    const ava = JSON.stringify(join(this.directory, 'build/test/mutation/ava.js'));
    writeFileSync(join(modules, 'ava/index.js'), `export { default } from ${ava};\n`);
  }

  read(file: string): string {
    return readFileSync(join(this.directory, 'dist', file), 'utf8');
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.directory, 'dist', file), text);
  }

  remove(): void {
    this.#player?.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }

  async play(options: PlayOptions): Promise<Played> {
    if (this.#player?.isFit !== true) this.#player = new Player(this.directory);
    return this.#player.play(options);
  }

  /** In a process of its own, which writes what it covers into that directory. */
  async playCovered(options: PlayOptions, coverageDirectory: string): Promise<Played> {
    const player = new Player(this.directory, { NODE_V8_COVERAGE: coverageDirectory });
    const played = await player.play(options);
    await player.end();
    return played;
  }
}
