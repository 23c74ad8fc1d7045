/** Median, quartiles and the worst value of one figure over all rounds. */
export interface Spread {
  median: number
  lower: number
  upper: number
  worst: number
}

/** `worst` says in which direction the figure gets worse. */
export function spread(values: readonly number[], worst: 'lowest' | 'highest'): Spread {
  return {
    median: quantile(values, 0.5),
    lower: quantile(values, 0.25),
    upper: quantile(values, 0.75),
    worst: worst === 'lowest' ? Math.min(...values) : Math.max(...values),
  }
}

export function spreadText({ median, lower, upper, worst }: Spread, digits = 2): string {
  return `${median.toFixed(digits)} (${lower.toFixed(digits)}–${upper.toFixed(digits)}, worst ${worst.toFixed(digits)})`
}

/** The value below which this share of all values lies; NaN where there are none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
}
