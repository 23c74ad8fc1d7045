/** One figure over all rounds. */
export type Spread = Record<'median' | 'lower' | 'upper' | 'worst', number>

/** Median, quartiles and the worst value; `worst` says in which direction the figure gets worse. */
export function spread(values: readonly number[], worst: 'min' | 'max' = 'max'): Spread {
  const at = (share: number) => quantile(values, share)
  return { median: at(0.5), lower: at(0.25), upper: at(0.75), worst: Math[worst](...values) }
}

export function spreadText({ median, lower, upper, worst }: Spread, digits = 2): string {
  return `${median.toFixed(digits)} (${lower.toFixed(digits)}–${upper.toFixed(digits)}, worst ${worst.toFixed(digits)})`
}

/** The value below which this share of all values lies; NaN where there are none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
}
