import type { FastifyInstance } from 'fastify'
import type { Redis } from 'ioredis'
import { Counter, Gauge, type Registry } from 'prom-client'
import { PREFIX } from './names.js'

/** Whether replicas share what they should. */
export function measureRedis({ zendesk }: FastifyInstance, registry: Registry, redis: Redis): void {
  let shared = true
  const changes = new Counter({
    name: `${PREFIX}_redis_changes_total`,
    help: 'How often this replica went over to a budget and pauses of its own (alone), or back to those of all (shared).',
    labelNames: ['to'],
    registers: [registry],
  })
  zendesk.events.on('sharing', (now) => {
    shared = now
    changes.inc({ to: now ? 'shared' : 'alone' })
  })
  new Gauge({
    name: `${PREFIX}_redis_up`,
    help: '1 while Redis is connected and answers in time.',
    registers: [registry],
    collect() {
      this.set(redis.status === 'ready' && shared ? 1 : 0)
    },
  })
}
