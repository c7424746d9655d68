/** A wait that can be ended early. */
export class Pause {
  #end: (() => void) | undefined;

  /** Waits `ms`, or until `end`. Of two waits at once the first one ends. */
  async wait(ms: number): Promise<void> {
    this.end();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#end = undefined;
  }

  end(): void {
    this.#end?.();
  }
}
