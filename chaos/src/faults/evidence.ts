/** Who is healthy answers within this time, however busy the machine is. */
const ANSWER_MS = 20_000;
/** Who was silenced is asked for so long: it cannot answer, so a short time tells enough. */
const SILENCE_MS = 700;

/** True when `ask` fails, gives null or has not come back after a moment. Proves something of whom a fault has silenced. */
export async function isSilent(ask: () => Promise<unknown>): Promise<boolean> {
  return !(await answers(ask, SILENCE_MS));
}

/** False when `ask` fails, gives null or takes too long. */
export async function answers(ask: () => Promise<unknown>, withinMs = ANSWER_MS): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), withinMs);
  });
  const asked = ask().then(
    (value) => value !== null,
    () => false, // no answer is what faults are for
  );
  const isAnswered = await Promise.race([asked, late]);
  clearTimeout(timer);
  return isAnswered;
}

/** What `ask` failed with; null when it did not fail. */
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
