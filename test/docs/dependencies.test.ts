import { readFileSync } from 'node:fs';
import test from 'ava';

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly dev?: boolean;
  readonly link?: boolean;
}

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly overrides: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
}

function read(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}

const { packages } = read('package-lock.json') as { packages: Readonly<Record<string, LockedPackage>> };
const manifest = read('package.json') as Manifest;
const locked = Object.entries(packages).filter(([path]) => path !== '');
const page = readFileSync('docs/security.md', 'utf8');

/** Packages that may run a script of theirs when they are installed, and why that is no harm. */
const withInstallScript: Readonly<Record<string, string>> = {
  'node_modules/zeromq':
    'optional, for arbiters at tcp://; "allowScripts" forbids the script, and it brings prebuilt binaries',
};

test('no package runs a script when it is installed but those that are known', (t) => {
  const found = locked.flatMap(([path, { hasInstallScript }]) => (hasInstallScript === true ? [path] : []));
  t.deepEqual(found, Object.keys(withInstallScript));
  for (const path of found) t.is(manifest.allowScripts[path.replace('node_modules/', '')], false, path);
});

test('the lock file names no source but the registry that npm is set to, and pins every package by its content', (t) => {
  t.true(locked.length > 100);
  for (const [path, { resolved, integrity, link, version }] of locked) {
    t.is(resolved, undefined, path);
    t.is(link, undefined, path);
    t.regex(integrity ?? '', /^sha512-[A-Za-z0-9+/]{86}==$/, path);
    t.regex(version ?? '', /^\d+\.\d+\.\d+/, path);
  }
  t.regex(readFileSync('.npmrc', 'utf8'), /^omit-lockfile-registry-resolved=true$/m);
});

test('every direct dependency and every override is one exact version, the one that is locked', (t) => {
  const { dependencies, devDependencies, optionalDependencies, overrides } = manifest;
  const direct = { ...dependencies, ...devDependencies, ...optionalDependencies };
  for (const [name, version] of Object.entries({ ...direct, ...overrides })) {
    t.regex(version, /^\d+\.\d+\.\d+$/, name);
  }
  for (const [name, version] of Object.entries(direct)) {
    t.is(packages[`node_modules/${name}`]?.version, version, name);
  }
});

test('the page on security tells of every dependency that runs with the relay, and of no other', (t) => {
  const told = [...page.matchAll(/^\| `([@\w/.-]+)` +\|/gm)].map(([, name = '']) => name);
  const running = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
  t.deepEqual(told.sort(), running.sort());
  const withRelay = locked.filter(([, { dev }]) => dev !== true).length;
  t.true(page.includes(`${withRelay} packages`), `${withRelay} packages are installed with the relay`);
});
