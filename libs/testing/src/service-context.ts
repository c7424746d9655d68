import { Writable } from 'node:stream';
import {
  type CommonSettings,
  createLogger,
  createMetrics,
  Lifecycle,
  type ServiceContext,
} from '@posthorn/runtime';

/** The secret that test services and `mintToken` share. */
export const TEST_SECRET = 'a-secret-for-tests-that-is-long-enough';

/** A service context like that of `runService`, for a service inside the test's process. */
export interface TestServiceContext<S extends CommonSettings> extends ServiceContext<S> {
  /** The log lines so far, parsed. */
  readonly lines: Record<string, unknown>[];
}

/** Creates one from settings that were loaded from an environment. */
export function createServiceContext<S extends CommonSettings>(
  service: string,
  settings: S,
): TestServiceContext<S> {
  const lines: Record<string, unknown>[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (const line of chunk.toString().split('\n')) {
        if (line !== '') lines.push(JSON.parse(line) as Record<string, unknown>);
      }
      done();
    },
  });
  const log = createLogger({ service, level: settings.logLevel, stream });
  return { settings, log, life: new Lifecycle(log), metrics: createMetrics(service), tracing: null, lines };
}
