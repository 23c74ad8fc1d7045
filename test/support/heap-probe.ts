import { GCProfiler, getHeapStatistics, setFlagsFromString, type HeapSpaceStatistics } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Since the reading before; `heapBytes` is what is left after a collection, where one was asked for. */
export interface HeapReading {
  heapBytes: number
  allocatedBytes: number
  /** Survived their scavenges and moved to old space: next to nothing where garbage dies young. */
  promotedBytes: number
  collectionMs: number
}

// Preloaded into a process under test, which does not know it: answers each message of its parent with a reading.
setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
let profiler: GCProfiler | undefined
let usedAtStart = 0

process.on('message', ({ collect = false }: { collect?: boolean }) => {
  const usedNow = getHeapStatistics().used_heap_size
  const collections = profiler?.stop().statistics ?? []
  let used = usedAtStart
  let allocatedBytes = 0
  let promotedBytes = 0
  for (const { gcType, beforeGC, afterGC } of collections) {
    if (gcType === 'Scavenge') promotedBytes += oldSpace(afterGC) - oldSpace(beforeGC)
    allocatedBytes += beforeGC.heapStatistics.usedHeapSize - used
    used = afterGC.heapStatistics.usedHeapSize
  }
  allocatedBytes += usedNow - used
  const collectionMs = collections.reduce((sum, { cost }) => sum + cost, 0) / 1000
  if (collect) collectGarbage()
  const heapBytes = getHeapStatistics().used_heap_size
  process.send?.({ heapBytes, allocatedBytes, promotedBytes, collectionMs } satisfies HeapReading)
  profiler = new GCProfiler()
  profiler.start()
  usedAtStart = getHeapStatistics().used_heap_size
})
process.channel?.unref()

function oldSpace({ heapSpaceStatistics }: { heapSpaceStatistics: HeapSpaceStatistics[] }): number {
  return heapSpaceStatistics.find(({ spaceName }) => spaceName === 'old_space')?.spaceUsedSize ?? 0
}
