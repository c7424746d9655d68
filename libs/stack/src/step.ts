/**
 * Does a piece of work and tells a person about it: the sentence, and how long it took. `say` changes the sentence while
 * the work goes on.
 */
export type Step = <T>(sentence: string, work: (say: (sentence: string) => void) => Promise<T>) => Promise<T>;

/** Works without a word. */
export const quietly: Step = (_sentence, work) => work(() => {});
