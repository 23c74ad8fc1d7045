import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import getPort from 'get-port'
import { cores } from '../cores.js'
import { answering, findExecutable, scratchFolder, start, type Running } from '../processes.js'
import { RENEWAL_PATH } from '../service.js'
import { UPSTREAM_TOKEN } from '../upstream.js'

export type Started = Running & { origin: string }

const ZENDESK_PATH = '/api/v2/users/me/session/renew'

/** nginx that adds the credential, as fast as it goes: one process, connections kept on both sides, no log. */
export async function startNginx(upstream: string, kind: 'pass' | 'cache'): Promise<Started | undefined> {
  const command = findExecutable('nginx')
  if (command === undefined) return undefined
  const port = await getPort()
  const folder = scratchFolder()
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  const cache = `
      proxy_cache renewals;
      proxy_cache_key renewal;
      proxy_cache_lock on;
      proxy_cache_valid 200 1s;
      proxy_ignore_headers cache-control expires set-cookie vary;
      proxy_hide_header set-cookie;`
  const configuration = `
daemon off;
master_process off;
worker_rlimit_nofile 20000;
pid ${folder}/pid;
error_log stderr crit;
events { worker_connections 16384; }
http {
  access_log off;
  keepalive_requests 100000000;
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  proxy_cache_path ${folder}/cache keys_zone=renewals:1m;
  upstream zendesk {
    server ${new URL(upstream).host};
    keepalive 1024;
    keepalive_requests 100000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=8192;
    location = /livez { return 200; }
    location = ${RENEWAL_PATH} {
      proxy_pass http://zendesk${ZENDESK_PATH};
      proxy_http_version 1.1;
      proxy_set_header connection "";
      proxy_set_header host ${new URL(upstream).host};
      proxy_set_header authorization "Bearer ${UPSTREAM_TOKEN}";${kind === 'cache' ? cache : ''}
    }
  }
}
`
  const path = join(folder, 'nginx.conf')
  writeFileSync(path, configuration)
  return listening(command, ['-p', folder, '-c', path, '-e', 'stderr'], port, 'inherit')
}

/** varnish, which coalesces requests by nature, with a TTL of one second. */
export async function startVarnish(upstream: string): Promise<Started | undefined> {
  const command = findExecutable('varnishd')
  if (command === undefined) return undefined
  const port = await getPort()
  const folder = scratchFolder()
  const { hostname, port: upstreamPort } = new URL(upstream)
  const vcl = `
vcl 4.1;
backend zendesk { .host = "${hostname}"; .port = "${upstreamPort}"; }
sub vcl_recv {
  if (req.url == "/livez") { return (synth(200)); }
  set req.url = "${ZENDESK_PATH}";
  set req.http.authorization = "Bearer ${UPSTREAM_TOKEN}";
  return (hash);
}
sub vcl_backend_response {
  unset beresp.http.set-cookie;
  set beresp.ttl = 1s;
  set beresp.grace = 0s;
  return (deliver);
}
`
  const path = join(folder, 'renewals.vcl')
  writeFileSync(path, vcl)
  const listen = ['-a', `127.0.0.1:${port}`, '-T', 'none', '-j', 'none']
  const storage = ['-n', folder, '-s', 'malloc,16m', '-f', path]
  const running = await listening(command, ['-F', ...listen, ...storage], port, 'ignore')
  // The process that was started only watches over the one that serves.
  const children = readFileSync(`/proc/${running.pid}/task/${running.pid}/children`, 'utf8')
  return { ...running, pid: Number(children.split(' ')[0]) }
}

async function listening(
  command: string,
  args: string[],
  port: number,
  stderr: 'ignore' | 'inherit',
): Promise<Started> {
  const running = start({ command, args, core: cores?.measured, stderr })
  const origin = `http://127.0.0.1:${port}`
  await answering(`${origin}/livez`, running)
  return { ...running, origin }
}
