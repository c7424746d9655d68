/** A wait that can be ended early. */
export class Pause {
  #end: (() => void) | undefined;

  /** Waits `ms`, or until `end`. A second wait ends the first one. */
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
