import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPostgresBinaries } from './postgres-binaries';
import { byCopies, directly, type Placement, pastPermissions, placePostgres } from './postgres-placement';
import { ids, isRoot } from './run-as';

const asRoot = isRoot ? describe : describe.skip;
const notAsRoot = isRoot ? describe.skip : describe;

// Closed to every other user.
const closed = mkdtempSync(join(tmpdir(), 'posthorn-placement-'));
const binaries = findPostgresBinaries();
const made: string[] = [closed];
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

function succeeds({ launch }: Placement, ...words: string[]): boolean {
  const [command = '', ...args] = [...launch.prefix, ...words];
  const env = { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' };
  return spawnSync(command, args, { ...ids(launch), cwd: '/', env }).status === 0;
}

/** What a Postgres that was placed so says on its own of the user that it runs as: it refuses root. */
function startsAt(placement: Placement): boolean {
  const data = ['--pgdata', join(placement.dir, 'data')];
  const initdb = join(placement.binaries, 'bin', 'initdb');
  return succeeds(placement, initdb, ...data, '--no-sync', '--username=posthorn');
}

/** The same of one that need not make a cluster: it finds its files, takes the user, and may write to the folder. */
function couldStartAt(placement: Placement): boolean {
  const data = join(placement.dir, 'data');
  const initdb = join(placement.binaries, 'bin', 'initdb');
  return succeeds(placement, initdb, '--show', '--pgdata', data) && succeeds(placement, 'mkdir', data);
}

notAsRoot('as a user that Postgres accepts', () => {
  it('changes nothing for a user that may run Postgres', () => {
    const dir = join(closed, 'mine');
    expect(placePostgres(dir, binaries)).toEqual({ dir, binaries, launch: { prefix: [] } });
  });
});

asRoot('as root', () => {
  it('does not hand a folder to a user that cannot reach it', () => {
    expect(() => placePostgres(join(closed, 'direct'), binaries, [directly])).toThrow('DATABASE_URL');
  });

  it('lets another user past the permissions of the folders above', () => {
    const dir = join(closed, 'past');
    const placement = placePostgres(dir, binaries, [pastPermissions]);
    expect(placement.dir).toBe(dir);
    expect(couldStartAt(placement)).toBe(true);
  });

  it('falls back to a folder that everybody can reach, and finds it again', () => {
    const dir = join(closed, 'copied');
    const placement = placePostgres(dir, binaries, [directly, byCopies]);
    made.push(placement.dir, ...(placement.binaries === binaries ? [] : [placement.binaries]));
    expect(placement.dir).not.toBe(dir);
    expect(startsAt(placement)).toBe(true);
    expect(placePostgres(dir, binaries, [directly, byCopies]).dir).toBe(placement.dir);
  });

  it('leaves data with the user that made it', () => {
    const dir = join(closed, 'kept');
    const first = placePostgres(dir, binaries, [pastPermissions]);
    expect(couldStartAt(first)).toBe(true);
    const { uid } = statSync(join(dir, 'data'));
    expect(uid).not.toBe(0);
    expect(placePostgres(dir, binaries).launch.prefix).toContain(`--reuid=${uid}`);
  });
});
