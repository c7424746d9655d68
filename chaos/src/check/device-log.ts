import type { EventOf } from '../history/event-of';
import type { DeviceEvent, HistoryEvent } from '../history/history';

/** An event of a device. */
export type SeenEvent = Extract<HistoryEvent, { f: DeviceEvent['f'] }>;

/** The name of the new devices that read everything at the end. */
const FRESH = 'fresh';

/** A period in ms. Without an end it lasted until the end of the history. */
export interface Span {
  from: number;
  to: number;
}

/** One connection of a device, from the attempt to connect. */
export class Connection {
  readonly name: string;
  readonly device: Device;
  readonly events: SeenEvent[] = [];
  readonly messages: EventOf<'ok', 'message'>[] = [];
  readonly acks: EventOf<'invoke', 'ack'>[] = [];
  /** The periods in which the device did not read. */
  readonly deaf: Span[] = [];
  connect: EventOf<'invoke', 'connect'> | null = null;
  welcome: EventOf<'ok', 'welcome'> | null = null;
  caughtUp: EventOf<'ok', 'caughtUp'> | null = null;
  closed: EventOf<'info', 'closed'> | null = null;
  /** The device's highest acknowledgement that was answered with ok before this connection began. */
  readonly floor: number;
  /** Whether the server may have moved the cursor by itself before (`ack=auto`). */
  readonly followsAuto: boolean;
  /** The device's highest acknowledgement that had begun before the welcome. */
  ceiling = 0;

  constructor(name: string, device: Device) {
    this.name = name;
    this.device = device;
    this.floor = device.ackedOk;
    this.followsAuto = device.isAuto;
  }

  /** Whether delivery starts where the device asked. */
  get startsWhereAsked(): boolean {
    return this.connect?.v.after !== undefined && this.welcome?.v.reset !== true;
  }
}

/** A device of a user, with all its connections. */
export class Device {
  /** `u1/d2` */
  readonly name: string;
  readonly user: string;
  /** The device's name in the store. */
  readonly device: string;
  readonly connections: Connection[] = [];
  /** The highest acknowledgement answered with ok, and the highest one begun. */
  ackedOk = 0;
  ackedAtAll = 0;
  /** The device used `ack=auto` at least once, so messages that a dying connection swallowed are gone. */
  isAuto = false;
  /** The device asked to get nothing up to this `seq`. */
  skipped = 0;

  constructor(name: string, user: string, device: string) {
    this.name = name;
    this.user = user;
    this.device = device;
  }

  get isFresh(): boolean {
    return this.device === FRESH;
  }

  /** The ids of all messages that came to it. */
  received(): Set<string> {
    return new Set(this.connections.flatMap(({ messages }) => messages.map(({ v }) => v.id)));
  }
}

/** All devices of a history, with what each connection saw. */
export class DeviceLog {
  readonly byName = new Map<string, Device>();
  readonly byUser = new Map<string, Device[]>();
  readonly connections: Connection[] = [];
  readonly oddities: string[] = [];
  readonly #byProcess = new Map<string, Connection>();

  take(event: SeenEvent): void {
    const connection = this.#byProcess.get(event.p) ?? this.#open(event.p);
    if (connection === null) {
      this.oddities.push(`event ${event.i} is of ${event.p}, which is no connection's name`);
      return;
    }
    connection.events.push(event);
    note(connection, event);
  }

  #open(name: string): Connection | null {
    const [, deviceName, user, device] = /^(([^/#]+)\/([^/#]+))#\d+$/.exec(name) ?? [];
    if (deviceName === undefined || user === undefined || device === undefined) return null;
    let owner = this.byName.get(deviceName);
    if (owner === undefined) {
      owner = new Device(deviceName, user, device);
      this.byName.set(deviceName, owner);
      this.byUser.set(user, [...(this.byUser.get(user) ?? []), owner]);
    }
    const connection = new Connection(name, owner);
    owner.connections.push(connection);
    this.connections.push(connection);
    this.#byProcess.set(name, connection);
    return connection;
  }
}

function note(connection: Connection, event: SeenEvent): void {
  const { device } = connection;
  switch (event.f) {
    case 'connect':
      if (event.type !== 'invoke') return;
      connection.connect = event;
      device.isAuto ||= event.v.ack === 'auto';
      device.skipped = Math.max(device.skipped, event.v.after ?? 0);
      return;
    case 'welcome':
      connection.welcome ??= event;
      connection.ceiling = device.ackedAtAll;
      return;
    case 'message':
      connection.messages.push(event);
      return;
    case 'caughtUp':
      connection.caughtUp ??= event;
      return;
    case 'ack':
      if (event.type === 'ok') device.ackedOk = Math.max(device.ackedOk, event.v.seq);
      if (event.type !== 'invoke') return;
      connection.acks.push(event);
      device.ackedAtAll = Math.max(device.ackedAtAll, event.v.seq);
      return;
    case 'closed':
      connection.closed ??= event;
      return;
    case 'deaf':
      noteDeafness(connection, event);
      return;
    case 'receipt':
    case 'read':
    case 'goodbye':
  }
}

function noteDeafness({ deaf }: Connection, { t, v }: EventOf<'info', 'deaf'>): void {
  const last = deaf.at(-1);
  const isDeafNow = last !== undefined && last.to === Number.POSITIVE_INFINITY;
  if (v.isDeaf && !isDeafNow) deaf.push({ from: t, to: Number.POSITIVE_INFINITY });
  if (!v.isDeaf && isDeafNow) last.to = t;
}
