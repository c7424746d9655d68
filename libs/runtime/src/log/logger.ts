import winston from 'winston';
import { redactField, redactText } from './redact';

/** A winston logger. Messages are constant and facts go into fields. Guard costly lines with `isLevelEnabled`. */
export type Logger = winston.Logger;

export interface LoggerOptions {
  readonly service: string;
  /** One of winston's npm levels. */
  readonly level: string;
  /** Where lines are written; standard output by default. */
  readonly stream?: NodeJS.WritableStream;
}

/**
 * Creates a logger that writes one JSON object per line: `timestamp` (ISO), `level`, `service`, `message`, then the
 * fields. It removes credentials and message contents from every line.
 */
export function createLogger({ service, level, stream = process.stdout }: LoggerOptions): Logger {
  return winston.createLogger({
    level,
    levels: winston.config.npm.levels,
    format: winston.format.printf((info) => jsonLine(service, info)),
    transports: [new winston.transports.Stream({ stream })],
    exitOnError: false,
  });
}

function jsonLine(service: string, info: winston.Logform.TransformableInfo): string {
  const { level, message, timestamp: _timestamp, service: _service, ...fields } = info;
  const head = {
    timestamp: new Date().toISOString(),
    level,
    service,
    message: redactText(typeof message === 'string' ? message : String(message)),
  };
  try {
    const entries = Object.entries(fields).map(([name, value]) => [name, redactField(name, value)]);
    return JSON.stringify({ ...head, ...Object.fromEntries(entries) });
  } catch (error) {
    // A field with a throwing getter must not crash the caller: the line is written without its fields.
    return JSON.stringify({
      ...head,
      fieldsUnreadable: error instanceof Error ? error.name : 'thrown value',
    });
  }
}
