/** What a process still holds after its garbage has been collected. */
export interface HeapReading {
  heapBytes: number
}

// Preloaded into the service, which knows nothing of it: answers each message of the parent process.
process.on('message', () => {
  globalThis.gc?.()
  process.send?.({ heapBytes: process.memoryUsage().heapUsed } satisfies HeapReading)
})
process.channel?.unref()
