import { Counter, Gauge, type Registry } from 'prom-client'
import type { FollowedFile } from '../secret.js'
import { PREFIX } from './names.js'

/** Whether each secret file can be used. A bad one keeps the last good value in use, so a leaked key may stay valid. */
export function measureSecretFiles(secrets: FollowedFile[], registry: Registry): void {
  const labelNames = ['secret']
  new Gauge({
    name: `${PREFIX}_secret_file_bad`,
    help: '1 while the file of this secret holds a value that cannot be used, and the last good one is kept.',
    labelNames,
    registers: [registry],
    collect() {
      for (const { name, isFileBad } of secrets) this.set({ secret: name }, isFileBad ? 1 : 0)
    },
  })
  new Counter({
    name: `${PREFIX}_secret_file_errors_total`,
    help: 'How often the file of this secret was changed to a value that cannot be used.',
    labelNames,
    registers: [registry],
    collect() {
      this.reset()
      for (const { name, badValues } of secrets) this.inc({ secret: name }, badValues)
    },
  })
}
