// GitHub's own library for webhooks against ours, both ways:
//   its signatures are taken by our endpoint, and wrong ones are not; our signatures are verified by it.
//
//   node webhook_check.mjs PROBE FOLDER    exit status 1 when a check fails
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { sign, verify } from '@octokit/webhooks-methods'

const [probe, folder] = process.argv.slice(2)
const secret = randomBytes(32).toString('hex')
const oldSecret = 'old ünïcode secret ' + randomBytes(16).toString('base64')
const strangersSecret = randomBytes(32).toString('hex')
const secretFile = `${folder}/secret`
const oldSecretFile = `${folder}/old-secret`
writeFileSync(secretFile, secret + '\n', { mode: 0o600 })
writeFileSync(oldSecretFile, oldSecret, { mode: 0o600 })

const push = (message, extra = {}) =>
  JSON.stringify({
    ref: 'refs/heads/main',
    before: '0'.repeat(40),
    after: 'a'.repeat(40),
    repository: { full_name: 'acme/tokens' },
    head_commit: { id: 'a'.repeat(40), message },
    sender: { login: 'ada' },
    ...extra
  })
const payloads = [
  push('Add a dragon'),
  push('Drachen — 龍 🐉 \u0000 \\ " \u2028'),
  push('pretty', { commits: Array.from({ length: 2048 }, (_, i) => ({ id: String(i).padStart(40, '0'), message: 'm'.repeat(300) })) }),
  JSON.stringify(JSON.parse(push('spaced')), null, 2) + '\n'
]

let checks = 0
const check = (actual, expected, what) => {
  assert.deepEqual(actual, expected, what)
  checks += 1
}

// Ours, verified by theirs.
for (const payload of [...payloads, 'x', '{}']) {
  for (const [file, word] of [[secretFile, secret], [oldSecretFile, oldSecret]]) {
    const { stdout } = spawnSync(probe, ['sign', 'github', file], { input: payload, encoding: 'utf8', maxBuffer: 1 << 24 })
    check(stdout.trim(), await sign(word, payload), 'our signature is theirs')
    check(await verify(word, payload, stdout.trim()), true, 'our signature is verified')
    check(await verify(strangersSecret, payload, stdout.trim()), false, 'by nobody else')
  }
}

// Theirs, taken by ours.
const portFile = `${folder}/port`
const server = spawn(probe, ['serve', secretFile, oldSecretFile, portFile], { stdio: ['pipe', 'pipe', 'inherit'] })
let printed = ''
server.stdout.on('data', (bytes) => (printed += bytes))
const end = once(server, 'close')
for (let tries = 0; !existsSync(portFile); ++tries) {
  assert.ok(tries < 400 && server.exitCode === null, 'the endpoint tells its port')
  await pause(25)
}
const url = `http://127.0.0.1:${readFileSync(portFile, 'utf8')}/webhook/github`
const deliver = async (body, signature, headers = {}) => {
  const answer = await fetch(url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', 'x-github-event': 'push', 'x-hub-signature-256': signature, ...headers }
  })
  return [answer.status, await answer.json()]
}
let taken = 0
for (const payload of payloads) {
  for (const word of [secret, oldSecret]) {
    check(await deliver(payload, await sign(word, payload)), [202, { taken: true }], 'a signed push is taken')
    taken += 1
  }
  check((await deliver(payload, await sign(strangersSecret, payload)))[0], 401, 'a stranger is refused')
  check((await deliver(payload + ' ', await sign(secret, payload)))[0], 401, 'a changed body is refused')
  const form = new URLSearchParams({ payload }).toString()
  check(
    await deliver(form, await sign(secret, form), { 'content-type': 'application/x-www-form-urlencoded' }),
    [202, { taken: true }],
    'a signed form is taken'
  )
  taken += 1
}
const ping = JSON.stringify({ zen: 'Keep it logically awesome.' })
check(await deliver(ping, await sign(secret, ping), { 'x-github-event': 'ping' }), [200, { ping: true }], 'a ping is answered')
const other = push('other', { ref: 'refs/heads/other' })
check((await deliver(other, await sign(secret, other)))[0], 200, 'another branch is ignored')

// The secret is changed without a restart.
writeFileSync(oldSecretFile, secret)
writeFileSync(secretFile, strangersSecret)
check((await deliver(payloads[0], await sign(strangersSecret, payloads[0])))[0], 202, 'a new secret counts at once')
check((await deliver(payloads[0], await sign(oldSecret, payloads[0])))[0], 401, 'one that is dropped does not')
taken += 1

server.stdin.end()
await end
check(server.exitCode, 0, 'the endpoint stops')
check(printed.trim().split('\n'), Array(taken).fill(`refs/heads/main ${'a'.repeat(40)}`), 'each taken push is one')
console.log(`${checks} checks passed`)
