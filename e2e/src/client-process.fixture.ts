import { type ManagedProcess, startProcess } from '@posthorn/stack';

/** Starts a script of the README in a folder, as a process that can be killed. */
export function startReader(script: string, folder: string): Promise<ManagedProcess> {
  return startProcess({
    name: 'a client',
    command: process.execPath,
    args: [script],
    env: { PATH: process.env['PATH'] ?? '' },
    cwd: folder,
    orphanSignal: 'SIGKILL',
  });
}
