import { setTimeout as delay } from 'node:timers/promises'

/** Waits; false where the signal came before the time was over. */
export async function lasts(milliseconds: number, signal: AbortSignal): Promise<boolean> {
  return delay(milliseconds, true, { signal }).catch(() => false)
}
