import { readFileSync, writeFileSync } from 'node:fs'
import getPort from 'get-port'
import { cores } from '../cores.js'
import { answering, findExecutable, scratchFolder, start, type Running } from '../processes.js'
import { RENEWAL_PATH, UPSTREAM_TOKEN, ZENDESK_PATH } from '../service.js'

const core = cores?.measured
const CACHE = `
      proxy_cache renewals; proxy_cache_key renewal; proxy_cache_lock on; proxy_cache_valid 200 1s;
      proxy_ignore_headers cache-control expires set-cookie vary;
      proxy_hide_header set-cookie;`

/** nginx that adds the credential, as fast as it goes: one process, connections kept on both sides, no log. */
export async function startNginx(upstream: string, { cache = false } = {}): Promise<Running | undefined> {
  const command = findExecutable('nginx')
  if (command === undefined) return undefined
  const port = await getPort()
  const folder = scratchFolder()
  const { host } = new URL(upstream)
  const configuration = `
daemon off; master_process off; worker_rlimit_nofile 20000; pid pid; error_log stderr crit; events { worker_connections 16384; }
http {
  access_log off; keepalive_requests 100000000;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${kind};`).join(' ')}
  proxy_cache_path cache keys_zone=renewals:1m;
  upstream zendesk { server ${host}; keepalive 1024; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port} backlog=8192; location = /livez { return 200; }
    location = ${RENEWAL_PATH} {
      proxy_pass http://zendesk${ZENDESK_PATH};
      proxy_http_version 1.1; proxy_set_header connection ""; proxy_set_header host ${host};
      proxy_set_header authorization "Bearer ${UPSTREAM_TOKEN}";${cache ? CACHE : ''}
    }
  }
}
`
  writeFileSync(`${folder}/nginx.conf`, configuration)
  const args = ['-p', folder, '-c', `${folder}/nginx.conf`, '-e', 'stderr']
  return answering(start(port, [command, ...args], { core }), '/livez')
}

/** varnish, which coalesces requests by nature, with a TTL of one second. */
export async function startVarnish(upstream: string): Promise<Running | undefined> {
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
  set req.url = "${ZENDESK_PATH}"; set req.http.authorization = "Bearer ${UPSTREAM_TOKEN}";
  return (hash);
}
sub vcl_backend_response {
  unset beresp.http.set-cookie;
  set beresp.ttl = 1s; set beresp.grace = 0s;
  return (deliver);
}
`
  writeFileSync(`${folder}/renewals.vcl`, vcl)
  const listen = `-F -a 127.0.0.1:${port} -T none -j none -s malloc,16m`
  const args = [...listen.split(' '), '-n', folder, '-f', `${folder}/renewals.vcl`]
  // It greets on standard error.
  const running = await answering(start(port, [command, ...args], { core, stderr: 'ignore' }), '/livez')
  // The process that was started only watches over the one that serves.
  const children = readFileSync(`/proc/${running.pid}/task/${running.pid}/children`, 'utf8')
  return { ...running, pid: Number(children.split(' ')[0]) }
}
