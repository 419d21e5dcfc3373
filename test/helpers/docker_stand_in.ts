/**
 * What `docker` does, as far as the pages need it, where there is none: `run` starts what the Dockerfile says, with its
 * environment, from this checkout; a volume is a directory in `$VOLUMES`. What it does not know it refuses. Networks are
 * the machine's own, so it takes free ports in place of those it is told.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Image {
  readonly environment: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly ports: readonly string[];
  /** Made when the image is built, and the user's: what is mounted there takes over whose it is. */
  readonly directories: readonly string[];
}

interface Options {
  readonly image: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly volumes: readonly (readonly [name: string, path: string])[];
  readonly ports: readonly string[];
}

/** The last stage of the Dockerfile: the image. */
function imageOf(dockerfile: string): Image {
  const lines = dockerfile
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll('\\\n', '')
    .split('\n');
  const stage = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));
  const valuesOf = (instruction: string): readonly string[] =>
    stage
      .filter((line) => line.startsWith(`${instruction} `))
      .flatMap((line) => line.slice(instruction.length + 1).split(/\s+/));
  const entrypoint =
    stage.find((line) => line.startsWith('ENTRYPOINT '))?.slice('ENTRYPOINT '.length) ?? '[]';
  return {
    environment: Object.fromEntries(valuesOf('ENV').map((pair) => split(pair, '='))),
    entrypoint: JSON.parse(entrypoint) as string[],
    ports: valuesOf('EXPOSE'),
    directories: stage.flatMap((line) => /^RUN install -d -o node .* (\/\S+)$/.exec(line)?.[1] ?? []),
  };
}

function optionsOf(argv: readonly string[]): Options {
  const options = { environment: {}, volumes: [] as [string, string][], ports: [] as string[] };
  for (let index = 0; ; index += 2) {
    const [option = '', value = ''] = argv.slice(index, index + 2);
    if (!option.startsWith('-')) return { ...options, image: option, command: argv.slice(index + 1) };
    if (option === '-e') Object.assign(options.environment, Object.fromEntries([split(value, '=')]));
    else if (option === '-v') options.volumes.push(split(value, ':'));
    else if (option === '-p') options.ports.push(split(value, ':')[1]);
    else throw new Error(`no such option here: ${option}`);
  }
}

function split(pair: string, at: string): [string, string] {
  const index = pair.indexOf(at);
  if (index <= 0 || index === pair.length - 1)
    throw new Error(`"${pair}" is not two parts with "${at}" between`);
  return [pair.slice(0, index), pair.slice(index + 1)];
}

function start(image: Image, { environment, volumes, ports, command }: Options): void {
  for (const port of ports) if (!image.ports.includes(port)) throw new Error(`nothing listens on ${port}`);
  const mounts = volumes.map(([name, path]) => {
    if (!image.directories.includes(path)) throw new Error(`${path} would belong to root`);
    const directory = join(process.env['VOLUMES'] ?? '', name);
    mkdirSync(directory, { recursive: true });
    return [path, directory] as const;
  });
  const inside = (text: string): string =>
    mounts.reduce((mapped, [path, directory]) => mapped.replace(path, directory), text);
  const own: Record<string, string> = { DATABOX_LOCAL_PORT: '0', EXPORT_HOST: '127.0.0.1' };
  for (const [name, value] of Object.entries({ ...image.environment, ...environment }))
    own[name] = inside(value);
  const [node, main = '', ...rest] = image.entrypoint;
  if (node !== 'node') throw new Error('the entry point is no program of Node');
  const program = spawn(process.execPath, [main.replace('/app/', ''), ...rest, ...command], {
    env: own,
    stdio: 'inherit',
  });
  process.on('SIGTERM', () => program.kill('SIGTERM'));
  program.on('close', (status) => (process.exitCode = status ?? 1));
}

const [action, ...argv] = process.argv.slice(2);
if (action !== 'run') throw new Error(`no such command here: ${action}`);
const options = optionsOf(argv);
if (options.image !== 'export-relay') throw new Error(`no such image: ${options.image}`);
start(imageOf(readFileSync('Dockerfile', 'utf8')), options);
