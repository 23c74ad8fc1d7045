/** The time by which calls are paced, tried again and given up. A test injects one that it moves itself. */
export interface Clock {
  /** Milliseconds; never goes back. */
  now(): number
  setTimeout(act: () => void, milliseconds: number): Timer
  clearTimeout(timer: Timer | undefined): void
}

export type Timer = NodeJS.Timeout | number

export const systemClock: Clock = {
  now: () => performance.now(),
  setTimeout: (act, milliseconds) => setTimeout(act, milliseconds),
  clearTimeout: (timer) => {
    clearTimeout(timer)
  },
}
