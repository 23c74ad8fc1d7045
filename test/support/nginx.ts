import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Test } from 'tap'
import { freePort } from './free-port.js'

/** An nginx that takes `/zendesk/` away from each path and hands the request on to this port; 404 for all others. */
export async function startNginx(t: Test, listen: number, target: number): Promise<void> {
  const folder = t.testdir({
    'nginx.conf': `
      daemon off; master_process off; pid nginx.pid; error_log stderr warn;
      events {}
      http {
        access_log off;
        ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path temp-${kind};`).join(' ')}
        server {
          listen 127.0.0.1:${listen};
          location /zendesk/ { proxy_pass http://127.0.0.1:${target}/; proxy_set_header Host $http_host; }
        }
      }`,
  })
  const nginx = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: 'ignore' })
  const exited = once(nginx, 'exit')
  t.teardown(async () => {
    nginx.kill()
    await exited
  })
  while (!(await fetch(`http://127.0.0.1:${listen}/`).catch(() => undefined))) {
    if (nginx.exitCode !== null) throw new Error('nginx did not start')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Where nginx will listen: PUBLIC_URL has to be known before the service starts. */
export async function publicAddress(): Promise<{ port: number; url: string }> {
  const port = await freePort()
  return { port, url: `http://127.0.0.1:${port}/zendesk` }
}
