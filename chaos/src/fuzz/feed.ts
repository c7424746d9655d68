import { makeBodyCase } from './body-cases';
import { makeFrameCase } from './frame-cases';
import { caseRandom, type FuzzCase, type Lane, laneOf } from './fuzz-case';
import type { Identities } from './identities';
import { makeRawCase } from './raw-cases';
import { makeUpgradeCase } from './upgrade-cases';

/** Which cases to run. */
export interface FeedOptions {
  seed: number;
  from: number;
  count: number;
  lanes: readonly Lane[];
  identities: Identities;
}

/** Gives each lane its cases, lowest number first. Numbers of other lanes are skipped. */
export class Feed {
  readonly #options: FeedOptions;
  readonly #next: Map<Lane, number>;
  #isStopped = false;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#next = new Map(options.lanes.map((lane) => [lane, options.from]));
  }

  /** The total number of cases. */
  get total(): number {
    const { seed, from, count, lanes } = this.#options;
    let total = 0;
    for (let number = from; number < from + count; number++) {
      if (lanes.includes(laneOf(seed, number))) total++;
    }
    return total;
  }

  /** The next case of a lane; null after the last one. */
  take<L extends Lane>(lane: L): Extract<FuzzCase, { lane: L }> | null {
    const { seed, from, count } = this.#options;
    const end = from + count;
    let number = this.#next.get(lane) ?? end;
    while (number < end && laneOf(seed, number) !== lane) number++;
    this.#next.set(lane, number + 1);
    if (number >= end || this.#isStopped) return null;
    const made = this.#make(number, lane);
    if (!isOf(made, lane)) throw new Error(`case ${number} is of lane ${made.lane}`);
    return made;
  }

  /** Gives out no more cases. */
  stop(): void {
    this.#isStopped = true;
  }

  #make(number: number, lane: Lane): FuzzCase {
    const { seed, identities } = this.#options;
    const random = caseRandom(seed, number);
    if (lane === 'bodies') return makeBodyCase(number, random, identities);
    if (lane === 'raw') return makeRawCase(number, random, identities);
    if (lane === 'upgrade') return makeUpgradeCase(number, random, identities);
    return makeFrameCase(number, random);
  }
}

function isOf<L extends Lane>(made: FuzzCase, lane: L): made is Extract<FuzzCase, { lane: L }> {
  return made.lane === lane;
}
