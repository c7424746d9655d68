/** Longer than anything healthy takes to answer, also on a busy machine. */
const PROBE_MS = 700;

/** False when `ask` fails, gives null or takes too long. */
export async function answers(ask: () => Promise<unknown>, withinMs = PROBE_MS): Promise<boolean> {
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
