import cluster from 'node:cluster';
import { AdminServer } from '../admin/admin-server';
import { createLogger } from '../log/logger';
import { type CommonSettings, type Environment } from '../settings/settings';
import { SettingsError } from '../settings/settings-error';
import { runPrimary, runWorker } from '../workers/workers';
import { type CreateService, startService } from './start-service';

/** EX_CONFIG of sysexits.h. */
const EX_CONFIG = 78;

/**
 * A service's whole `main`: settings, log, admin port, service, signals, exit. Resolves once the service listens or
 * its start has failed. Exit codes: 0 after a graceful stop, 1 after an error, 78 for bad settings.
 */
export async function runService<S extends CommonSettings>(
  name: string,
  env: Environment,
  loadSettings: (env: Environment) => S,
  create: CreateService<S>,
): Promise<void> {
  const settings = settingsOrExit(env, loadSettings);
  if (settings === null) {
    return;
  }
  // If the reader of the log goes away, the service must go on. There is nowhere left to report it.
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
  const log = createLogger({ service: name, level: settings.logLevel });
  if (settings.workers === 1) {
    await startService({
      name,
      settings,
      log,
      create,
      openAdmin: (routes) => AdminServer.listen({ port: settings.adminPort, routes, log }),
      onStarted: ({ port }, admin) => {
        log.info('listening', { port, adminPort: admin.port, pid: process.pid });
      },
    });
  } else if (cluster.isPrimary) {
    await runPrimary(settings, log);
  } else {
    await runWorker(name, settings, log.child({ worker: cluster.worker?.id }), create);
  }
}

function settingsOrExit<S>(env: Environment, loadSettings: (env: Environment) => S): S | null {
  try {
    return loadSettings(env);
  } catch (error) {
    if (!(error instanceof SettingsError)) {
      throw error;
    }
    process.stderr.write(`${error.message}\n`);
    process.exitCode = EX_CONFIG;
    return null;
  }
}
