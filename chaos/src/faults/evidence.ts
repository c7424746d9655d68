/** A healthy process answers within this time, even on a busy machine. */
const ANSWER_MS = 20_000;
/** How long to ask a silenced process. It cannot answer, so a short time is enough. */
const SILENCE_MS = 700;

/**
 * Whether `ask` fails, returns null or takes too long. This proves something only about a process that a fault has
 * silenced.
 */
export async function isSilent(ask: () => Promise<unknown>): Promise<boolean> {
  return !(await answers(ask, SILENCE_MS));
}

/** False if `ask` fails, returns null or takes too long. */
export async function answers(ask: () => Promise<unknown>, withinMs = ANSWER_MS): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), withinMs);
  });
  const asked = ask().then(
    (value) => value !== null,
    () => false, // faults cause missing answers
  );
  const isAnswered = await Promise.race([asked, late]);
  clearTimeout(timer);
  return isAnswered;
}

/** The error of `ask`; null if it did not fail. */
export async function errorOf(ask: () => Promise<unknown>): Promise<string | null> {
  try {
    await ask();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The evidence, if there is any. */
export function seen(isSeen: boolean, evidence: string): string | null {
  return isSeen ? evidence : null;
}
