/** What a connection may cost, for every port of this service. In milliseconds and octets. */
export const SOCKET_LIMITS = {
  bodyLimit: 1024,
  requestTimeout: 10_000,
  http: {
    headersTimeout: 5_000,
    connectionsCheckingInterval: 1_000,
    maxHeaderSize: 16 * 1024,
    // Looked at by ourselves: Node would answer by itself.
    requireHostHeader: false,
  },
}
