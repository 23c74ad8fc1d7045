/** What a scrape holds: the names of the series, each with the names of its labels. */
export function seriesOf(exposition: string): Map<string, Set<string>> {
  const series = new Map<string, Set<string>>()
  for (const line of exposition.split('\n')) {
    const [, name, labels = ''] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+$/.exec(line) ?? []
    if (name === undefined) continue
    const known = series.get(name) ?? new Set()
    for (const label of labelsIn(labels)) known.add(label)
    series.set(name, known)
  }
  return series
}

/** What a PromQL expression needs: its metrics, each with the labels by which it is selected or grouped. */
export function needsOf(expression: string): { metric: string; labels: string[] }[] {
  const bare = expression.replace(/\[[^\]]*\]|\boffset \w+/g, '')
  const grouped = [...bare.matchAll(/\b(?:by|without) *\(([^)]*)\)/g)].flatMap(([, names = '']) =>
    names.split(/, */),
  )
  const rest = bare.replace(/\b(?:by|without) *\([^)]*\)/g, '')
  return [...rest.matchAll(/([a-zA-Z_:][\w:]*)(?:\{((?:[^"}]|"[^"]*")*)\})?(?! *\(|[\w:])/g)]
    .map(([, metric = '', selector = '']) => ({ metric, labels: [...labelsIn(selector), ...grouped] }))
    .filter(({ metric }) => !OPERATORS.has(metric))
}

const OPERATORS = new Set(['unless', 'and', 'or', 'bool', 'on', 'ignoring'])

function labelsIn(text: string): string[] {
  return [...text.matchAll(/(\w+) *(?:=~|!~|!=|=) *"(?:[^"\\]|\\.)*"/g)].map(([, label = '']) => label)
}
