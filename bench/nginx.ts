import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findExecutable } from './cores.js'
import { scratchFolder } from './paths.js'
import { freePort } from './ports.js'
import { answering, start, type Running } from './processes.js'
import { RENEWAL_PATH } from './service.js'

/** nginx as a plain reverse proxy that puts the credential in; undefined where it is not installed. */
export async function startNginx(
  upstream: string,
  token: string,
  core?: number,
): Promise<(Running & { origin: string }) | undefined> {
  const command = findExecutable('nginx')
  if (command === undefined) return undefined
  const port = await freePort()
  const folder = scratchFolder()
  const path = join(folder, 'nginx.conf')
  writeFileSync(path, configuration({ folder, port, upstream: new URL(upstream).host, token }))
  const running = start({ command, args: ['-p', folder, '-c', path, '-e', 'stderr'], core })
  const origin = `http://127.0.0.1:${port}`
  await answering(`${origin}/livez`, running)
  return { ...running, origin }
}

/** One worker, connections kept on both sides, no log: as fast as it goes. */
function configuration({
  folder,
  port,
  upstream,
  token,
}: Record<'folder' | 'upstream' | 'token', string> & { port: number }) {
  return `
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid ${folder}/pid;
error_log stderr crit;
events { worker_connections 16384; }
http {
  access_log off;
  keepalive_requests 100000000;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  upstream zendesk {
    server ${upstream};
    keepalive 1024;
    keepalive_requests 100000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=8192;
    location = /livez { return 200; }
    location = ${RENEWAL_PATH} {
      proxy_pass http://zendesk/api/v2/users/me/session/renew;
      proxy_http_version 1.1;
      proxy_set_header connection "";
      proxy_set_header host ${upstream};
      proxy_set_header authorization "Bearer ${token}";
    }
  }
}
`
}
