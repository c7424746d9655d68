/**
 * Does a piece of work and shows a person its sentence and how long it took. `say` changes the sentence during the
 * work.
 */
export type Step = <T>(sentence: string, work: (say: (sentence: string) => void) => Promise<T>) => Promise<T>;

/** Works without output. */
export const quietly: Step = (_sentence, work) => work(() => {});
