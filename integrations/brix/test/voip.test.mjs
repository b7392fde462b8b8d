import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, test } from 'node:test'
import { App, enums, module, office } from './app.mjs'

const app = new App()
let at, brix

before(async () => {
  assert.ok(process.env.OFFICE, 'these tests are run by: go test ./integrations/brix')
  at = await office('/start', { url: await app.open() })
  app.settings = { address: at.address + '/', token: at.token, secret: at.secret }
  brix = module(app.settings)
  await healthy('voipd to reach the PBX', (health) => health.ami.state === 'up')
})

after(async () => {
  await office('/stop')
  app.close()
})

// healthy waits until voipd's health is as wanted.
async function healthy(what, is) {
  for (const end = Date.now() + 20_000; !is(await (await fetch(at.address + '/v1/health', { headers: { Authorization: 'Bearer ' + at.token } })).json());) {
    assert.ok(Date.now() < end, 'waited for ' + what)
    await new Promise((done) => setTimeout(done, 50))
  }
}

// of are the types of a call's events in the order in which they came.
const of = (callId) => app.of(callId).map((t) => t.type)
const ended = (callId) => app.until('the record of ' + callId, (t) => t.type === 'record.created' && t.result.callRecord?.callId === callId)

test('test connection', async () => {
  assert.deepEqual({ ...await brix.VoipTestConnection() }, { success: true })
  const failing = async (settings) => {
    const result = await module({ ...app.settings, ...settings }).VoipTestConnection()
    assert.equal(result.success, false)
    return result.failReason
  }
  assert.match(await failing({ token: 'wrong' }), /token/)
  assert.match(await failing({ token: '' }), /not set/)
  assert.match(await failing({ address: 'http://127.0.0.1:1' }), /cannot be reached at http:\/\/127.0.0.1:1/)
  assert.match(await failing({ address: process.env.OFFICE }), /is not voipd \(HTTP 404\)/)
})

test('members are the extensions, without trunks', async () => {
  const members = await brix.VoipGetMembers()
  assert.deepEqual([...members].map((m) => ({ ...m })), [{ id: '101', label: '101 Irina' }, { id: '108', label: '108' }])
})

test('a call that rings three, with its record and its audio', async () => {
  const { callId } = await office('/play', { name: 'in-ringgroup' })
  await ended(callId)
  const ready = await app.until('the recording', (t) => t.type === 'recording.ready' && t.result.callRecord?.callId === callId)

  const events = app.events().map((t) => t.result.event).filter((e) => e.callId === callId)
  assert.deepEqual(events.slice(0, 3).map((e) => [e.event, e.dstPhone]).sort(), [['app-start', '101'], ['app-start', '102'], ['app-start', '103']])
  const rest = events.slice(3).map((e) => [e.event, e.direction, e.disposition, e.dstPhone])
  assert.deepEqual(rest.filter((e) => e[3] !== '102').sort(), [['app-end', 'in', 'app-cancel', '101'], ['app-end', 'in', 'app-cancel', '103']])
  assert.deepEqual(rest.filter((e) => e[3] === '102'), [['app-answer', 'in', 'app-answered', '102'], ['app-end', 'in', 'app-answered', '102']])
  for (const e of events) assert.match(e.srcPhone, /^7903\d{7}$/)

  const record = ready.result.callRecord
  assert.deepEqual([record.direction, record.disposition, record.dstPhone], ['in', 'app-answered', '102'])
  assert.ok(record.duration > 0)
  assert.equal(new Set(app.records(callId).map((t) => t.result.callRecord.callId)).size, 1)

  const link = await brix.VoipGetCallLink(record.call)
  const audio = await fetch(link)
  assert.deepEqual([audio.status, audio.headers.get('content-type')], [200, 'audio/wav'])
  assert.equal(Buffer.from(await audio.arrayBuffer()).subarray(0, 4).toString(), 'RIFF')
  await assert.rejects(brix.VoipGetCallLink({ callId: 'none' }), /none/)
})

test('a missed call is one record', async () => {
  const { callId } = await office('/play', { name: 'in-noanswer' })
  await ended(callId)
  const next = await office('/play', { name: 'in-cancel' })
  await ended(next.callId)
  for (const [id, disposition] of [[callId, 'app-no-answer'], [next.callId, 'app-cancel']]) {
    const records = app.records(id)
    assert.equal(records.length, 1, `${of(id)}`)
    assert.deepEqual([records[0].result.callRecord.disposition, records[0].result.callRecord.duration], [disposition, 0])
    const ends = app.events().filter((t) => t.result.event.callId === id && t.result.event.event === 'app-end')
    assert.deepEqual(ends.map((t) => [t.type, t.result.event.disposition]), [['call.stopped_ringing', disposition], ['call.ended', disposition]])
  }
})

test('outgoing, internal and transferred calls', async () => {
  for (const [name, direction] of [['out-busy', 'out'], ['int-answered', 'internal'], ['xfer-attended', 'in']]) {
    const { callId } = await office('/play', { name })
    const { result } = await ended(callId)
    assert.equal(result.callRecord.direction, direction, name)
    if (name === 'out-busy') assert.equal(result.callRecord.disposition, 'app-busy')
    if (name === 'xfer-attended') assert.ok(of(callId).includes('call.transferred'), `${of(callId)}`)
  }
  const silent = app.told.filter((t) => t.type === 'call.transferred')
  assert.ok(silent.length > 0)
  for (const t of silent) {
    assert.deepEqual([t.result.event, t.result.callRecord, t.result.response.code], [undefined, undefined, 200])
  }
})

test('click to call', async () => {
  await brix.VoipGenerateCall('101', '+7 (903) 123-45-67')
  const orders = await office('/orders')
  assert.deepEqual(orders.map((o) => [o.Channel, o.Context, o.Exten]), [['PJSIP/101', 'from-internal', '+79031234567']])
  await assert.rejects(brix.VoipGenerateCall('900', '79031234567'), /calls\.sources/)
  await assert.rejects(brix.VoipGenerateCall('101', '112\r\nAction: x'), /calls\.destinations/)
  await assert.rejects(brix.VoipGenerateCall('108', '79031234567'), /not registered/)
  const reader = module({ ...app.settings, token: at.narrow })
  await assert.rejects(reader.VoipGenerateCall('101', '79031234567'), /calls:write/)
  await assert.rejects(reader.VoipGetCallLink({ callId: 'x' }), /recordings:read/)
  assert.equal((await office('/orders')).length, 1)
})

test('a new address of the webhook is told to the admin, and its token to nobody', async () => {
  const m = module(app.settings)
  await m.VoipOnWebhookUpdated('https://app.example.com/hook/0f3c')
  assert.match(m.log.join(), /new address/)
  assert.doesNotMatch(m.log.join(), /app\.example\.com|0f3c/)
})

// signed is a request as voipd would send it.
function signed(body, { id = 'x-1', time = Math.floor(Date.now() / 1000), secret = at.secret } = {}) {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64')
  const signature = createHmac('sha256', key).update(`${id}.${time}.${body}`).digest('base64')
  return { headers: { 'Webhook-Id': id, 'Webhook-Timestamp': `${time}`, 'Webhook-Signature': `v1a,other v1,${signature}` }, body }
}
const call = { callId: '1.2', direction: 'in', disposition: 'no_answer', srcPhone: '79031234567', dstPhone: '101' }
const bodyOf = (type, more = {}) => JSON.stringify({ id: 'x-1', type, ...(type.startsWith('record')
  ? { callRecord: { call: { callId: '1.2' }, ...call, duration: 0, ...more } } : { event: { ...call, event: type, ...more } }) })
const parse = (request, m = brix) => m.VoipParseWebhookRequest(request)

test('the signature', async () => {
  const refused = async (request, code = 401) => {
    const result = await parse(request)
    assert.deepEqual([Object.keys(result), result.response.code], [['response'], code])
  }
  for (const text of ['', 'Ирина «ЮЛ» 😀', 'a'.repeat(55), 'a'.repeat(119), 'a'.repeat(5000)]) { // SHA-256's padding, UTF-8
    const good = signed(bodyOf('record.created', { srcPhone: text }))
    assert.equal((await parse(good)).callRecord.srcPhone, text)
    await refused({ ...good, body: good.body.replace('101', '102') })
  }
  const long = module({ ...app.settings, secret: 'whsec_' + Buffer.alloc(100, 7).toString('base64') })
  assert.ok((await parse(signed(bodyOf('record.created'), { secret: 'whsec_' + Buffer.alloc(100, 7).toString('base64') }), long)).callRecord)

  const body = bodyOf('record.created')
  await refused(signed(body, { secret: 'whsec_' + Buffer.alloc(24, 1).toString('base64') }))
  await refused(signed(body, { time: Math.floor(Date.now() / 1000) - 400 }))
  await refused(signed(body, { time: Math.floor(Date.now() / 1000) + 400 }))
  await refused(signed(body, { time: 'soon' }))
  await refused({ headers: {}, body })
  await refused({ headers: { ...signed(body).headers, 'Webhook-Signature': '' }, body })
  await refused({ headers: { ...signed(body).headers, 'Webhook-Signature': 'v1,' }, body })
  await refused(signed('{'), 400)
  await refused({ headers: {}, body: undefined }, 400)
  const open = module({ ...app.settings, secret: '' })
  assert.ok((await parse({ headers: {}, body }, open)).callRecord, 'without a secret nothing is checked')
})

test('events that the app has no word for', async () => {
  for (const type of ['call.held', 'call.resumed', 'call.merged', 'call.transferred', 'call.invented', 'toString']) {
    const result = await parse(signed(bodyOf(type)))
    assert.deepEqual([Object.keys(result), result.response.code], [['response'], 200], type)
  }
  for (const body of ['null', '{}', '[]', '7']) assert.equal((await parse(signed(body))).response.code, 400, 'voipd keeps what it cannot tell')
  const poor = module(app.settings, { ...enums, VoipCallDisposition: { Answered: 1, Unknown: 0 }, VoipWebhookEvent: { NotifyStart: 0 } })
  const started = await parse(signed(bodyOf('call.started')), poor)
  assert.deepEqual([started.event.event, started.event.disposition], [0, 0], 'a member may be 0')
  const over = await parse(signed(bodyOf('call.ended')), poor)
  assert.deepEqual([over.event, over.response.code], [undefined, 200])
  assert.match(over.response.text, /none of NotifyEnd/)
  assert.equal((await parse(signed(bodyOf('record.created', { disposition: 'new-word' })))).callRecord.disposition, 'app-unknown')
})

test('an app that lacks one word', async () => {
  const words = { VoipCallDirection: ['in', 'out', 'internal'], VoipCallDisposition: ['answered', 'busy', 'cancelled', 'no_answer', 'failed', 'unknown'] }
  for (const [name, members] of Object.entries(enums)) {
    for (const lacking of Object.keys(members)) {
      const { [lacking]: _, ...has } = members
      const m = module(app.settings, { ...enums, [name]: has })
      for (const direction of words.VoipCallDirection) {
        for (const disposition of words.VoipCallDisposition) {
          const result = await parse(signed(bodyOf('record.created', { direction, disposition })), m)
          if (name === 'VoipCallDirection' && lacking.toLowerCase() === direction) {
            assert.equal(result.callRecord, undefined)
            assert.match(result.response.text, new RegExp(`direction ${direction} is not told`))
            continue
          }
          assert.ok(Object.values(enums.VoipCallDirection).includes(result.callRecord.direction))
          assert.ok(Object.values(enums.VoipCallDisposition).includes(result.callRecord.disposition), `${lacking}: ${disposition}`)
        }
      }
      for (const [type, want] of [['call.started', 'NotifyStart'], ['call.answered', 'NotifyAnswer'], ['call.stopped_ringing', 'NotifyEnd'], ['call.ended', 'NotifyEnd']]) {
        const result = await parse(signed(bodyOf(type, { direction: 'out' })), m)
        if (lacking === want || lacking === 'Out') assert.equal(result.event, undefined, type)
        else assert.equal(result.event.event, enums.VoipWebhookEvent[want])
      }
    }
  }
})

test('a request without headers, a body of bytes', async () => {
  const open = module({ ...app.settings, secret: '' })
  const body = bodyOf('record.created', { srcPhone: 'Ирина 😀' })
  assert.equal((await parse({ body }, open)).callRecord.callId, '1.2')
  assert.equal((await parse({ body })).response.code, 401)
  const { headers } = signed(body)
  const bytes = new TextEncoder().encode(body).buffer
  assert.equal((await parse({ headers, body: bytes })).callRecord.srcPhone, 'Ирина 😀')
  for (const wrong of [new Uint8Array([0xff, 0xfe]).buffer, { type: 'record.created' }, null, 7]) assert.equal((await parse({ headers, body: wrong }, open)).response.code, 400)
})

test('the outgoing call of an app that has the client first', async () => {
  const turned = module(app.settings, enums, (script) => script.replace("outgoing: 'operator-first'", "outgoing: 'client-first'"))
  const more = { srcPhone: '101', dstPhone: '79031234567', dstPhoneExt: '12' }
  for (const [m, direction, want] of [[brix, 'out', ['101', '79031234567']], [turned, 'out', ['79031234567', '101']], [turned, 'in', ['101', '79031234567']]]) {
    for (const type of ['call.started', 'record.created']) {
      const result = await parse(signed(bodyOf(type, { ...more, direction })), m)
      const { srcPhone, dstPhone, srcPhoneExt, dstPhoneExt } = result.event ?? result.callRecord
      assert.deepEqual([srcPhone, dstPhone], want)
      assert.deepEqual([srcPhoneExt, dstPhoneExt], m === turned && direction === 'out' ? ['12', undefined] : [undefined, '12'])
    }
  }
})

test('a record again or corrected is the same call', async () => {
  const first = await parse(signed(bodyOf('record.created')))
  assert.deepEqual(await parse(signed(bodyOf('record.created'))), first)
  const corrected = await parse(signed(bodyOf('record.corrected', { disposition: 'answered', duration: 7 })))
  assert.deepEqual([corrected.callRecord.callId, corrected.callRecord.disposition, corrected.callRecord.duration], ['1.2', 'app-answered', 7])
  assert.equal((await parse(signed(bodyOf('recording.ready')))).callRecord, undefined, 'a missed call has nothing to play')
  assert.equal((await parse(signed(bodyOf('recording.ready', { disposition: 'answered' })))).callRecord.callId, '1.2')
})

test('the wrong secret in the module: the app shows nothing, and everything once it is mended', async () => {
  const right = app.settings
  app.settings = { ...right, secret: 'whsec_' + Buffer.alloc(24, 1).toString('base64') }
  const from = app.told.length
  const { callId } = await office('/play', { name: 'in-cancel' })
  const refused = await app.until('a refusal', (t) => app.told.indexOf(t) >= from)
  assert.deepEqual([Object.keys(refused.result), refused.result.response.code], [['response'], 401])
  await healthy('the events to wait', (health) => health.webhooks.waiting > 0 && health.webhooks.parked === 0)
  app.settings = right
  await ended(callId)
})

test('a test of the webhook says that address and secret are right', async () => {
  const { response } = await parse(signed(JSON.stringify({ id: 'i-test-0', type: 'webhook.test', at: '2026-11-22T09:30:00.120Z' })))
  assert.deepEqual([response.code, response.text], [200, 'The address and the secret are right.'])
})

test('the PBX is away', async () => {
  await office('/cut')
  await healthy('the link to be lost', (health) => health.status === 'failing')
  const result = await brix.VoipTestConnection()
  assert.equal(result.success, false)
  assert.match(result.failReason, /link to the PBX/)
})

test('voipd is down', async () => {
  await office('/stop')
  const missed = app.told.map((t) => t.result.callRecord).filter((r) => r && r.disposition !== 'app-answered').map((r) => r.callId)
  assert.ok(missed.length >= 3 && new Set(missed).size === missed.length, `one record each in the whole run: ${missed}`)
  assert.match((await brix.VoipTestConnection()).failReason, /cannot be reached/)
  await assert.rejects(brix.VoipGetMembers(), /cannot be reached/)
  await assert.rejects(brix.VoipGetCallLink({ callId: '1.2' }), /cannot be reached/)
  await assert.rejects(brix.VoipGenerateCall('101', '79031234567'), /cannot be reached/)
})
