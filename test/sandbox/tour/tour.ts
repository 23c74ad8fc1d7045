import { setTimeout as sleep } from 'node:timers/promises'
import { scenes } from './scenes.js'
import { Stage } from './stage.js'

/** Plays every scene and prints a line of numbers for each; false if one is not as the service promises. */
export async function tour(): Promise<boolean> {
  const startedAt = performance.now()
  let asPromised = true
  for (const [index, { title, options = {}, play }] of scenes.entries()) {
    console.log(`\n${index + 1}. ${title}`)
    const [told, held] = await Stage.with(options, (stage) => play(stage, countDown))
    console.log(`   ${held ? '' : 'NOT AS PROMISED: '}${told}`)
    asPromised &&= held
  }
  console.log(`\n${scenes.length} scenes in ${Math.round((performance.now() - startedAt) / 1000)} s.`)
  return asPromised
}

/** A person sees the seconds pass; in a file they would be noise. */
async function countDown(seconds: number): Promise<void> {
  const { isTTY } = process.stdout
  for (let left = seconds; left > 0; left--) {
    if (isTTY) process.stdout.write(`\r   waiting ${left} s `)
    await sleep(1000)
  }
  // Whole seconds were told; the pause itself may end a little later.
  await sleep(100)
  if (isTTY) process.stdout.write('\r\u001b[K')
}
