import plugin from 'fastify-plugin'

/** Prometheus metrics on a port of their own, which no caller needs to reach. Nothing of it without METRICS_PORT. */
export default plugin(
  async (app) => {
    const { HOST: host, METRICS_PORT: port } = app.config
    if (port === undefined) return
    // Imported only where it is used: it costs memory and time at the start.
    const { startMetrics } = await import('../src/metrics/registry.js')
    const { buildMetricsApp } = await import('../src/metrics-app.js')
    const registry = startMetrics(app)

    const listener = await buildMetricsApp(registry, app.config)
    app.addHook('onReady', async () => {
      const address = await listener.listen({ host, port })
      app.log.info({ address }, 'serving metrics')
    })
    app.addHook('onClose', async () => {
      await listener.close()
      registry.clear()
    })
  },
  { name: 'metrics', dependencies: ['redis', 'request-end', 'zendesk'] },
)
