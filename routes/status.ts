import plugin from 'fastify-plugin'
import { PAGE_POLICY } from '../src/page.js'
import type { Status } from '../src/status/status.js'
import { RELOAD_SECONDS, statusPage } from '../src/status/status-page.js'

export interface StatusOptions {
  status: () => Status
}

/** The state of this replica, for a person or for a program. On the port for metrics, which no caller reaches. */
export default plugin<StatusOptions>(
  (app, { status }, done) => {
    app.get<{ Querystring: { reload?: string } }>('/status', (request, reply) => {
      if (request.type(['json', 'html']) !== 'html') return reply.send(status())
      const reloads = request.query.reload !== 'no'
      if (reloads) reply.header('refresh', RELOAD_SECONDS)
      return reply
        .headers({ 'content-type': 'text/html; charset=utf-8', 'content-security-policy': PAGE_POLICY })
        .send(statusPage(status(), reloads))
    })
    done()
  },
  { name: 'status', dependencies: ['error-handler'] },
)
