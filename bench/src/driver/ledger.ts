/** What became of the messages of one measurement. */
export interface Account {
  /** Sends that were accepted. */
  accepted: number;
  /** Sends that were not accepted, or got no answer. */
  refused: number;
  /** Deliveries that were due for accepted messages. */
  due: number;
  /** Deliveries that arrived, each counted once. */
  arrived: number;
  lost: number;
  twice: number;
  toTheWrongOne: number;
}

/** Means "to every device". */
export const EVERYBODY = -1;

const PENDING = 0;
const ACCEPTED = 1;
const REFUSED = 2;

/**
 * Accounts for every message of one measurement: the due recipients, the actual ones, and the times. Its size is fixed at the
 * start, so that it does not grow during the measurement.
 */
export class Ledger {
  /** The most messages that it can hold. */
  readonly capacity: number;
  readonly #devices: number;
  readonly #recipient: Int32Array;
  readonly #outcome: Uint8Array;
  readonly #sentAt: Float64Array;
  readonly #latency: Float64Array;
  readonly #seen: Uint8Array;
  #count = 0;
  #arrived = 0;
  #twice = 0;
  #wrong = 0;
  #due = 0;

  /** @param devices how many devices get each message to everybody; 0 if there are no such messages */
  constructor(capacity: number, devices = 0) {
    this.capacity = capacity;
    this.#devices = devices;
    this.#recipient = new Int32Array(capacity);
    this.#outcome = new Uint8Array(capacity);
    this.#sentAt = new Float64Array(capacity);
    this.#latency = new Float64Array(capacity);
    this.#seen = new Uint8Array(capacity * Math.max(1, devices));
  }

  /** Messages so far. */
  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === this.capacity;
  }

  /** Deliveries so far. */
  get arrived(): number {
    return this.#arrived;
  }

  /** Records a message that is sent now, or was due at `sentAt`. Returns its number. */
  send(recipient: number, sentAt: number): number {
    if (this.isFull) throw new Error('the ledger is full');
    const number = this.#count++;
    this.#recipient[number] = recipient;
    this.#sentAt[number] = sentAt;
    return number;
  }

  /** The send was answered. */
  settle(number: number, isAccepted: boolean): void {
    this.#outcome[number] = isAccepted ? ACCEPTED : REFUSED;
    if (isAccepted) this.#due += this.#recipient[number] === EVERYBODY ? this.#devices : 1;
  }

  /** A device got the message. */
  arrive(number: number, device: number, now: number): void {
    const recipient = this.#recipient[number];
    if (number >= this.#count || (recipient !== EVERYBODY && recipient !== device)) {
      this.#wrong++;
      return;
    }
    const at = recipient === EVERYBODY ? number * this.#devices + device : number;
    if (this.#seen[at] === 1) {
      this.#twice++;
      return;
    }
    this.#seen[at] = 1;
    this.#arrived++;
    this.#latency[number] = now - (this.#sentAt[number] ?? now);
  }

  /** A message of an earlier measurement arrived. It was accounted for there. */
  arriveLate(): void {
    this.#twice++;
  }

  /** Whether every accepted message has arrived everywhere it should. */
  get isComplete(): boolean {
    return this.#arrived >= this.#due;
  }

  /** The time from when a message was due until it (or its last copy) arrived, in ms. Only messages that arrived. */
  latencies(): Float64Array {
    const first = (number: number): number =>
      this.#recipient[number] === EVERYBODY ? number * this.#devices : number;
    const came = Array.from({ length: this.#count }, (_, number) => number).filter(
      (number) => this.#seen[first(number)] === 1,
    );
    return Float64Array.from(came, (number) => this.#latency[number] ?? 0);
  }

  account(): Account {
    const outcomes = this.#outcome.subarray(0, this.#count);
    const accepted = outcomes.filter((outcome) => outcome === ACCEPTED).length;
    return {
      accepted,
      refused: outcomes.filter((outcome) => outcome === REFUSED || outcome === PENDING).length,
      due: this.#due,
      arrived: this.#arrived,
      lost: this.#lost(),
      twice: this.#twice,
      toTheWrongOne: this.#wrong,
    };
  }

  #lost(): number {
    let lost = 0;
    for (let number = 0; number < this.#count; number++) {
      if (this.#outcome[number] !== ACCEPTED) continue;
      const copies = this.#recipient[number] === EVERYBODY ? this.#devices : 1;
      const start = this.#recipient[number] === EVERYBODY ? number * this.#devices : number;
      for (let copy = 0; copy < copies; copy++) if (this.#seen[start + copy] !== 1) lost++;
    }
    return lost;
  }
}
