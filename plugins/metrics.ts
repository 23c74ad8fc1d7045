import plugin from 'fastify-plugin'

/** Prometheus metrics and the status page, on a separate port that callers need not reach. Off without METRICS_PORT. */
export default plugin(
  async (app) => {
    const { HOST: host, METRICS_PORT: port } = app.config
    if (port === undefined) return
    // Imported only where it is used: it costs memory and time at the start.
    const { startMetrics } = await import('../src/metrics/registry.js')
    const { buildMetricsApp } = await import('../src/metrics-app.js')
    const { Activity } = await import('../src/status/activity.js')
    const { statusOf } = await import('../src/status/status.js')
    const registry = startMetrics(app)
    const activity = new Activity(app)

    const listener = await buildMetricsApp(registry, app.config, { status: () => statusOf(app, activity) })
    app.addHook('onReady', async () => {
      const address = await listener.listen({ host, port })
      app.log.info({ address }, 'serving metrics')
    })
    app.addHook('onClose', async () => {
      await listener.close()
      registry.clear()
    })
  },
  { name: 'metrics', dependencies: ['lifecycle', 'overload', 'redis', 'request-end', 'zendesk'] },
)
