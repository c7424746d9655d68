import type { ServiceProcess } from '@posthorn/stack';
import { WebSocket } from 'ws';

/** Environment that makes a Node process open its inspector on a free port of 127.0.0.1. */
export const WITH_INSPECTOR = { NODE_OPTIONS: '--inspect=127.0.0.1:0' } as const;

const LISTENING = /Debugger listening on (ws:\/\/\S+)/;

interface Reply {
  id?: number;
  result?: Record<string, unknown>;
  error?: { message: string };
}

interface Waiting {
  resolve: (result: Record<string, unknown>) => void;
  reject: (error: Error) => void;
}

/** Uses Node's inspector to make a running process collect all garbage, and to count what it holds afterwards. */
export class Inspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => {
      const { id, result = {}, error }: Reply = JSON.parse(data.toString('utf8'));
      const waiting = this.#waiting.get(id ?? 0);
      this.#waiting.delete(id ?? 0);
      if (error === undefined) waiting?.resolve(result);
      else waiting?.reject(new Error(error.message));
    });
    socket.on('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the inspector was closed'));
    });
  }

  /** Connects to a service that was started with `WITH_INSPECTOR`. */
  static async attach(service: ServiceProcess): Promise<Inspector> {
    const line = service.logs().find((text) => LISTENING.test(text));
    const url = LISTENING.exec(line ?? '')?.[1];
    if (url === undefined) throw new Error(`${service.name} has no inspector`);
    const socket = new WebSocket(url);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return new Inspector(socket);
  }

  /** Runs a method of the inspector's protocol. */
  async call(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = ++this.#lastId;
    return await new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  /** The value of an expression. It must be JSON. */
  async evaluate(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = await this.call('Runtime.evaluate', {
      expression: `JSON.stringify(${expression})`,
      returnByValue: true,
    });
    const text =
      typeof result === 'object' && result !== null && 'value' in result ? result.value : undefined;
    if (exceptionDetails !== undefined || typeof text !== 'string')
      throw new Error(`not evaluated: ${expression}`);
    return JSON.parse(text);
  }

  /** Frees everything that is unreachable. */
  async collectGarbage(): Promise<void> {
    // Objects that finalizers release are freed only in the second round.
    for (let round = 0; round < 2; round++) await this.call('HeapProfiler.collectGarbage');
  }

  /** How many instances of a class are alive. `expression` gives its prototype. */
  async countInstances(expression: string): Promise<number> {
    const { result } = await this.call('Runtime.evaluate', { expression });
    const prototype =
      typeof result === 'object' && result !== null && 'objectId' in result ? result.objectId : null;
    if (typeof prototype !== 'string') throw new Error(`no prototype: ${expression}`);
    const { objects } = await this.call('Runtime.queryObjects', { prototypeObjectId: prototype });
    const list =
      typeof objects === 'object' && objects !== null && 'objectId' in objects ? objects.objectId : null;
    const { result: length } = await this.call('Runtime.callFunctionOn', {
      objectId: list,
      functionDeclaration: 'function () { return this.length; }',
      returnByValue: true,
    });
    // Release the inspector's own handles, so that they do not keep the objects alive.
    await this.call('Runtime.releaseObjectGroup', { objectGroup: '' });
    if (typeof list === 'string') await this.call('Runtime.releaseObject', { objectId: list });
    await this.call('Runtime.releaseObject', { objectId: prototype });
    return typeof length === 'object' && length !== null && 'value' in length ? Number(length.value) : 0;
  }

  close(): void {
    this.#socket.close();
  }
}
