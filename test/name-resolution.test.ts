import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { readFile } from 'node:fs/promises'
import t from 'tap'
import { lookup } from '../src/network/lookup.js'
import { compiled } from './support/compiled.js'

const RESOLV = 'nameserver 127.0.0.1\noptions timeout:4 attempts:1\n'
/** A namespace of our own, with a name server of our own in it. */
const OWN_NETWORK = ['unshare', '--mount', '--net', '--map-root-user']

t.test('names that do not resolve cost nobody a token', namespaceOrSkip(), (t) => {
  const resolv = join(t.testdir({ resolv: RESOLV }), 'resolv')
  const inside = `ip link set lo up && ip addr add 10.9.9.9/32 dev lo && mount --bind '${resolv}' /etc/resolv.conf && exec node '${compiled('test/support/dead-names.js')}' 8`
  const [command = '', ...options] = OWN_NETWORK
  // As `npm start` has it.
  const env = { ...process.env, UV_THREADPOOL_SIZE: '16' }
  const { stdout, stderr } = spawnSync(command, [...options, 'sh', '-c', inside], {
    env,
    timeout: 90_000,
  })
  t.match(stderr.toString(), /^$/)
  const { withKey, withJwt, closed } = JSON.parse(stdout.toString()) as Record<string, number[]>
  t.same(new Set(withKey), new Set([200]))
  t.equal(closed, 8, 'each on a new connection')
  t.same(new Set(withJwt), new Set([503]), 'whose issuer cannot be reached')
  t.end()
})

t.test('the service starts with threads for many look-ups', async (t) => {
  const { scripts } = JSON.parse(await readFile('package.json', 'utf8')) as {
    scripts: { start: string }
  }
  t.match(scripts.start, /^UV_THREADPOOL_SIZE=\$\{UV_THREADPOOL_SIZE:-16\} /)
  t.match(await readFile('Dockerfile', 'utf8'), /^ENV .*UV_THREADPOOL_SIZE=16$/m)
})

t.test('an address is given as net.connect asks for it', async (t) => {
  const look = (host: string, options: object) =>
    new Promise<unknown[]>((resolve) => {
      lookup(host, options, (...result) => {
        resolve(result)
      })
    })
  t.match(await look('127.0.0.1', {}), [null, '127.0.0.1', 4])
  t.match(await look('127.0.0.1', { all: true }), [null, [{ address: '127.0.0.1', family: 4 }]])
  t.match(await look('127.0.0.1', { family: 'IPv4' }), [null, '127.0.0.1', 4])
  t.match(await look('127.0.0.1', { family: 6 }), [{ code: 'ENOTFOUND' }])
  t.match(await look(`${'no-such-name'.repeat(6)}.invalid`, {}), [{ code: /^(ENOTFOUND|EAI_)/ }])
})

/** With REQUIRE_NAMESPACES=1 a machine that allows none fails the test. */
function namespaceOrSkip(): { skip: string | false } {
  const [command = '', ...options] = OWN_NETWORK
  const absent = spawnSync(command, [...options, 'ip', 'link']).status !== 0
  const required = process.env['REQUIRE_NAMESPACES'] === '1'
  return { skip: absent && !required ? 'this machine allows no network namespaces (unshare, ip)' : false }
}
