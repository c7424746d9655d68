import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault, Injected } from './faults/fault';
import type { HistoryRecorder } from './history/recorder';
import type { Random } from './random';
import type { ChaosWorld } from './world/chaos-world';

/** What the nemesis needs. */
export interface NemesisOptions {
  world: ChaosWorld;
  /** Injected in this order, again and again. */
  faults: readonly Fault[];
  recorder: HistoryRecorder;
  random: Random;
  /** Reports the progress. */
  say: (sentence: string) => void;
}

const PAUSE_MS = [300, 1_500] as const;
const EFFECT_WAIT_MS = 30_000;
const EFFECT_POLL_MS = 100;
/** How often a second fault, of another part of the world, is added to the first. */
const SECOND_SHARE = 0.3;

/** Breaks the world, one fault after another, and repairs it. */
export class Nemesis {
  readonly #options: NemesisOptions;
  #next = 0;

  constructor(options: NemesisOptions) {
    this.#options = options;
  }

  /** Injects faults for about `ms`. Resolves when all are healed. With `isWhole` each fault comes at least once. */
  async run(ms: number, isWhole = false): Promise<void> {
    const { faults, random } = this.#options;
    const end = performance.now() + ms;
    if (faults.length === 0) return await sleep(ms);
    const least = isWhole ? faults.length : 0;
    while (performance.now() < end || this.#next < least) {
      const fault = this.#draw();
      const second = random.chance(SECOND_SHARE) ? this.#drawOther(fault) : null;
      await Promise.all([
        this.#play(fault, 0),
        second === null ? null : this.#play(second, random.int(200, 1_500)),
      ]);
      await sleep(random.int(...PAUSE_MS));
    }
  }

  #draw(): Fault {
    const { faults } = this.#options;
    const fault = faults[this.#next++ % faults.length];
    if (fault === undefined) throw new Error('the nemesis has no fault');
    return fault;
  }

  /** The next fault, if it hits another part of the world. Two faults of one part would undo each other. */
  #drawOther(first: Fault): Fault | null {
    const { faults } = this.#options;
    const fault = faults[this.#next % faults.length];
    if (fault === undefined || partOf(fault) === partOf(first)) return null;
    return this.#draw();
  }

  async #play(fault: Fault, delayMs: number): Promise<void> {
    const { world, recorder, random, say } = this.#options;
    const own = random.fork();
    const durationMs = own.int(fault.minMs, fault.maxMs);
    await sleep(delayMs);
    const p = 'nemesis';
    recorder.record(p, { type: 'info', f: 'fault', v: { id: fault.id, phase: 'start', target: '' } });
    let target = '';
    let effect: string | null = null;
    let injected: Injected | null = null;
    try {
      injected = await fault.inject(world, own);
      target = injected.target;
      say(`${fault.id} ${target}`);
      await sleep(durationMs);
      effect = await untilSeen(injected);
    } catch (error) {
      say(`${fault.id} failed: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      // What does not heal by itself is repaired after the faults.
      await injected?.heal().catch((error: unknown) => say(`${fault.id} did not heal: ${String(error)}`));
      effect ??= (await injected?.effect()) ?? null;
      recorder.record(p, { type: 'info', f: 'fault', v: { id: fault.id, phase: 'end', target, effect } });
    }
  }
}

/** A fault stays until it has taken effect, because a busy machine is slow. The wait is bounded. */
async function untilSeen(injected: Injected): Promise<string | null> {
  const deadline = performance.now() + EFFECT_WAIT_MS;
  for (;;) {
    const effect = await injected.effect();
    if (effect !== null || performance.now() > deadline) return effect;
    await sleep(EFFECT_POLL_MS);
  }
}

function partOf({ id }: Fault): string {
  return id.split('-')[0] ?? id;
}
