import { Counter, Gauge, type Registry } from 'prom-client'
import type { RedisClient } from '../redis/client.js'
import { PREFIX } from './names.js'

/** Whether replicas share what they should. */
export function measureRedis(redis: RedisClient, registry: Registry): void {
  const changes = new Counter({
    name: `${PREFIX}_redis_changes_total`,
    help: 'How often this replica switched to its own budget and pauses (alone), or back to those of all replicas (shared).',
    labelNames: ['to'],
    registers: [registry],
  })
  redis
    .on('lost', () => {
      changes.inc({ to: 'alone' })
    })
    .on('connected', () => {
      changes.inc({ to: 'shared' })
    })
  new Gauge({
    name: `${PREFIX}_redis_up`,
    help: '1 while Redis is connected and answers in time.',
    registers: [registry],
    collect() {
      this.set(redis.connected ? 1 : 0)
    },
  })
}
