/**
 * Gets a fresh authenticity_token. `jwt` is what your identity provider gave to the signed-in user; a key of the service
 * has no place in a page, where everybody can read it.
 */
export async function renewSession(service, jwt) {
  let response
  try {
    response = await fetch(`${service}/session/renew`, {
      method: 'POST',
      headers: jwt ? { authorization: `Bearer ${jwt}` } : {},
      credentials: 'omit',
    })
  } catch {
    // All that a browser tells about a network failure or an origin that is not allowed.
    return { sentence: 'The service cannot be reached from this page.' }
  }
  const requestId = response.headers.get('x-request-id')
  const body = await response.json()
  if (response.ok) return { token: body.authenticity_token, requestId }

  const retryAfter = response.headers.get('retry-after')
  const wait = retryAfter ? ` Come back in ${retryAfter} seconds.` : ''
  // Where waiting does not help, the detail says what to do.
  const text = (retryAfter ? body.title : body.detail).replace(/\.$/, '')
  return { sentence: `${text} (${body.code}).${wait}`, requestId, retryAfter }
}
