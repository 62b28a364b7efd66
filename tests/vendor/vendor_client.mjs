// Drives the stand-in service with the vendor's own client: whatever that client cannot talk to is wrong.
//
//   node vendor_client.mjs URL TOKEN_FILE         runs all checks; exit status 1 when one fails
//   node vendor_client.mjs --print-request FILE   prints the body that the vendor's client sends to create the token of
//                                                 FILE: {"projectId", "collectionId", "private", "token"}
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import vendor from '@0xsequence/metadata'

const example = {
  projectId: 30957,
  collectionId: 888,
  private: false,
  token: {
    tokenId: '200',
    name: 'Eclipse Dragon',
    description:
      'Forged from starlight and shadows, the Eclipse Dragon emerges only during celestial alignments. Its obsidian ' +
      'scales shimmer with constellations, and its breath holds the power to bend time and space. Legends say that ' +
      'those who possess its essence gain unparalleled wisdom—though at the cost of fleeting moments lost to the ' +
      'void. Will you dare wield its mystic force?',
    properties: {
      element: 'Shadow and Starlight',
      rarity: 'Legendary',
      alignment: 'Celestial',
      age: 'Ancient',
      size: 'Massive',
      breath_power: 'Time Distortion',
      temperament: 'Mysterious',
      constellations_on_scales: 42,
      last_seen: 'During the Last Solar Eclipse'
    }
  }
}
const key = { projectId: example.projectId, collectionId: example.collectionId }

// Name in the published description (and the vendor's newest schema), code, HTTP status.
const documented = [
  ['WebrpcEndpoint', 0, 400],
  ['WebrpcRequestFailed', -1, 400],
  ['WebrpcBadRoute', -2, 404],
  ['WebrpcBadMethod', -3, 405],
  ['WebrpcBadRequest', -4, 400],
  ['WebrpcBadResponse', -5, 500],
  ['WebrpcServerPanic', -6, 500],
  ['WebrpcInternalError', -7, 500],
  ['WebrpcClientDisconnected', -8, 400],
  ['WebrpcStreamLost', -9, 400],
  ['Unauthorized', 1000, 401],
  ['PermissionDenied', 1001, 403],
  ['SessionExpired', 1002, 403],
  ['MethodNotFound', 1003, 404],
  ['RequestConflict', 1004, 409],
  ['Fail', 1005, 500],
  ['Geoblocked', 1006, 451],
  ['TaskFailed', 1007, 400],
  ['Deprecated', 1008, 400],
  ['Timeout', 2000, 408],
  ['InvalidArgument', 2001, 400],
  ['RequiredArgument', 2002, 400],
  ['QueryFailed', 2003, 400],
  ['ValidationFailed', 2004, 400],
  ['RateLimited', 2005, 429],
  ['NotFound', 3000, 400],
  ['ProjectNotFound', 3002, 400],
  ['ChainNotFound', 3003, 400],
  ['TokenDirectoryDisabled', 4001, 400]
]

async function printRequest(file) {
  let body
  const client = new vendor.SequenceCollections('http://localhost', 'none')
  client.fetch = async (_, init) => {
    body = init.body
    return new Response('{"token":{},"assets":null}')
  }
  await client.createToken(JSON.parse(readFileSync(file, 'utf8')))
  console.log(body)
}

async function runChecks(url, jwt) {
  const client = new vendor.SequenceCollections(url, jwt)
  const stranger = new vendor.SequenceCollections(url, 'someone.elses.token')
  const create = (token, more = {}) =>
    client.createToken({ ...key, private: false, token: { name: 'n', attributes: [], ...token }, ...more })
  const control = async (path, body) => {
    const reply = await fetch(`${url}/standin/${path}`, { method: 'POST', body: JSON.stringify(body ?? {}) })
    assert.equal(reply.status, 200, await reply.text())
  }
  const fails = (call, name, code, status) =>
    assert.rejects(call, error => {
      assert.equal(error.constructor, vendor[`${name}Error`], `${error.constructor.name} for ${name}`)
      assert.equal(error.name, name)
      assert.equal(error.code, code)
      assert.equal(error.status, status)
      return true
    })

  let passed = 0
  const failed = []
  const check = async (what, body) => {
    await control('reset')
    try {
      await body()
      ++passed
    } catch (error) {
      failed.push(what)
      console.error(`FAILED: ${what}\n${error.stack}`)
    }
  }

  await check('the published example is created and answered as published', async () => {
    const reply = await client.createToken(example)
    assert.deepEqual(reply, {
      token: { ...example.token, image: '', attributes: null, updatedAt: '0001-01-01T00:00:00Z' },
      assets: null
    })
  })

  await check('a token is read back as it was sent', async () => {
    const token = {
      tokenId: '9007199254740993',
      name: 'Tab\t "quote" <b>&amp; \u2028 é 😀',
      image: 'https://example.com/1.png',
      video: 'v',
      audio: 'a',
      properties: { nested: { list: [1, 2.5, 'x', null, true], empty: {} }, big: 1e21, small: 1e-7 },
      attributes: [{ trait_type: 'Level', value: 5, display_type: 'number' }, { trait_type: 'R', value: 'L' }],
      image_data: '<svg/>',
      external_url: 'e',
      background_color: 'ffffff',
      animation_url: 'm',
      decimals: 18
    }
    await create(token)
    const { token: kept } = await client.getToken({ ...key, tokenId: token.tokenId })
    assert.equal(kept.status, vendor.ResourceStatus.AVAILABLE)
    assert.ok(Math.abs(Date.parse(kept.updatedAt) - Date.now()) < 60_000)
    delete kept.status
    delete kept.updatedAt
    assert.deepEqual(kept, token)
  })

  await check('the camelCase spellings are dropped', async () => {
    await create({ tokenId: '1', imageData: 'x', externalUrl: 'x', backgroundColor: 'x', animationUrl: 'x' })
    const { token } = await client.getToken({ ...key, tokenId: '1' })
    assert.deepEqual(Object.keys(token).sort(), ['attributes', 'image', 'name', 'status', 'tokenId', 'updatedAt'])
  })

  await check('tokens are listed in pages of thirty', async () => {
    for (let id = 1; id <= 65; ++id) await create({ tokenId: String(id) })
    const seen = []
    let reply
    do {
      reply = await client.listTokens({ ...key, page: { page: seen.length / 30 } })
      assert.equal(reply.page.pageSize, 30)
      seen.push(...reply.tokens.map(token => Number(token.tokenId)))
    } while (reply.page.more)
    assert.deepEqual(seen, Array.from({ length: 65 }, (_, i) => i + 1))
    assert.equal((await client.listTokens({ ...key, page: { pageSize: 100 } })).tokens.length, 65)
    assert.deepEqual((await client.listTokens({ ...key, collectionId: 1 })).tokens, [])
  })

  await check('pages from 0 or from 1, of any size, hold the tokens as they are read singly', async () => {
    for (let id = 1; id <= 7; ++id) await create({ tokenId: String(id), name: `t${id}`, external_url: `u${id}` })
    const single = []
    for (let id = 1; id <= 7; ++id) single.push((await client.getToken({ ...key, tokenId: String(id) })).token)
    for (const first of [0, 1]) {
      await control('faults', { first_page: first, page_size_max: 3 })
      const pages = []
      for (let page = first; page < first + 3; ++page)
        pages.push(await client.listTokens({ ...key, page: { page, pageSize: 30 } }))
      assert.deepEqual(pages.map(page => page.page), [true, true, false].map(more => ({ pageSize: 3, more })))
      assert.deepEqual(pages.flatMap(page => page.tokens), single)
      assert.deepEqual((await client.listTokens({ ...key, page: { pageSize: 30 } })).tokens, single.slice(0, 3))
    }
    await control('faults', { list_tokens: false })
    await fails(() => client.listTokens({ ...key }), 'WebrpcBadRoute', -2, 404)
  })

  await check('a token is updated and deleted', async () => {
    await create({ tokenId: '1', image: 'old' })
    const update = { tokenId: '1', name: 'm', attributes: [] }
    const reply = await client.updateToken({ ...key, tokenId: '1', token: update })
    assert.equal(reply.token.name, 'm')
    assert.equal((await client.getToken({ ...key, tokenId: '1' })).token.image, '')
    assert.deepEqual(await client.deleteToken({ ...key, tokenId: '1' }), { status: true })
    await fails(() => client.getToken({ ...key, tokenId: '1' }), 'NotFound', 3000, 400)
    await fails(() => client.deleteToken({ ...key, tokenId: '1' }), 'NotFound', 3000, 400)
    await fails(() => client.updateToken({ ...key, tokenId: '1', token: update }), 'NotFound', 3000, 400)
  })

  await check('what the service refuses by itself is decoded', async () => {
    await create({ tokenId: '7' })
    await fails(() => create({ tokenId: '007' }), 'RequestConflict', 1004, 409)
    await fails(() => create({ tokenId: 'x' }), 'InvalidArgument', 2001, 400)
    await fails(() => create({}), 'RequiredArgument', 2002, 400)
    await fails(() => create({ tokenId: '8' }, { collectionId: '888' }), 'WebrpcBadRequest', -4, 400)
    await fails(() => create({ tokenId: '8' }, { projectId: 1.5 }), 'WebrpcBadRequest', -4, 400)
    await fails(() => stranger.getToken({ ...key, tokenId: '7' }), 'Unauthorized', 1000, 401)
    await fails(() => client.getCollection({ ...key }), 'WebrpcBadRoute', -2, 404)
    await control('faults', { existing: 'error' })
    await fails(() => create({ tokenId: '7' }), 'WebrpcEndpoint', 0, 400)
    await control('faults', { existing: 'overwrite' })
    await create({ tokenId: '7' })
  })

  for (const [name, code, status] of documented)
    await check(`${name} is decoded`, async () => {
      await control('faults', { rules: [{ effect: 'error', error: name, cause: 'as told', times: 1 }] })
      await fails(() => create({ tokenId: '1' }), name, code, status)
      await create({ tokenId: '1' })
    })

  await check('what is no answer fails in the client as it should', async () => {
    const rule = async effect => control('faults', { rules: [{ times: 1, ...effect }] })
    for (const kind of ['not_json', 'html', 'truncated_json', 'empty_body']) {
      await rule({ effect: 'garbage', kind })
      await fails(() => create({ tokenId: '1' }), 'WebrpcBadResponse', -5, 200)
    }
    for (const effect of [{ effect: 'cut' }, { effect: 'cut', reset: true }, { effect: 'cut_reply' }]) {
      await rule(effect)
      await fails(() => create({ tokenId: '1' }), 'WebrpcRequestFailed', -1, 0)
    }
    await create({ tokenId: '1' })
  })

  await check('a rate limit is told by status and headers', async () => {
    await control('faults', { rate_limit: { calls: 1, window_ms: 60000 } })
    await create({ tokenId: '1' })
    await fails(() => create({ tokenId: '2' }), 'RateLimited', 2005, 429)
    const headers = { Authorization: `Bearer ${jwt}`, 'Content-Type': 'application/json' }
    const reply = await fetch(`${url}/rpc/Collections/GetToken`, { method: 'POST', headers, body: JSON.stringify(key) })
    assert.equal(reply.status, 429)
    assert.equal(reply.headers.get('retry-after'), '60')
    assert.equal(reply.headers.get('credits-rate-remaining'), '0')
  })

  console.log(`vendor client: ${passed} of ${passed + failed.length} checks passed`)
  return failed.length === 0
}

const [first, second] = process.argv.slice(2)
if (first === '--print-request') {
  await printRequest(second)
} else {
  const passed = await runChecks(first, readFileSync(second, 'utf8').trim())
  process.exit(passed ? 0 : 1)
}
