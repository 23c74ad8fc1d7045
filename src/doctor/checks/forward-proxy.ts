import type { ForwardProxy } from '../../network/forward-proxies.js'
import { connectToProxy } from '../../network/outbound.js'
import { openTunnel, ProxyError } from '../../network/tunnel.js'
import { fail, ok, type Finding } from '../finding.js'
import { authorityOf, type Target } from '../target.js'

/** In the place of the address: the forward proxy looks it up and connects. No credential of Zendesk is sent. */
export async function checkForwardProxy(target: Target, proxy: ForwardProxy): Promise<Finding> {
  const place = `${proxy.host}:${proxy.port}`
  try {
    await connects(target, proxy)
    return ok(`the forward proxy ${place} connects to ${authorityOf(target)}`)
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error
    return refused(error.code.replace('PROXY_', ''), place, target)
  }
}

async function connects(target: Target, proxy: ForwardProxy): Promise<void> {
  if (target.origin.protocol === 'https:') {
    const socket = await openTunnel(proxy, authorityOf(target), target.timeoutMs)
    socket.destroy()
    return
  }
  await new Promise<void>((resolve, reject) => {
    connectToProxy(proxy, target.timeoutMs, (error, socket) => {
      socket?.destroy()
      if (error) reject(error)
      else resolve()
    })
  })
}

function refused(reason: string, place: string, target: Target): Finding {
  const variable = target.origin.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'
  const zendesk = authorityOf(target)
  if (reason === '407')
    return fail(
      `the forward proxy ${place} refuses the user or password (407)`,
      `Correct them in ${variable}.`,
    )
  if (/^4/.test(reason))
    return fail(
      `the forward proxy ${place} does not allow ${zendesk} (${reason})`,
      `Allow ${zendesk} there, or list its host in NO_PROXY if this machine reaches it directly.`,
    )
  if (/^5/.test(reason))
    return fail(
      `the forward proxy ${place} cannot connect to ${zendesk} (${reason})`,
      `Check the host, and DNS and network of the proxy.`,
    )
  return fail(
    `cannot use the forward proxy ${place} (${reason})`,
    `Check host, port and scheme in ${variable}, and whether the proxy is running.`,
  )
}
