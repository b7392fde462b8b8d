// The app beside a real PBX: lab/app_test.go runs this, makes the calls, and has
// a voipd that listens by AMI and one that listens by ARI, each with an app.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { App, module, office } from './app.mjs'

const apps = {}

before(async () => {
  assert.ok(process.env.APPS, 'these tests are run by: go test -tags lab ./lab')
  for (const [source, { port, ...settings }] of Object.entries(JSON.parse(process.env.APPS))) {
    const app = apps[source] = new App()
    app.settings = settings
    app.brix = module(settings)
    await app.open(port)
  }
})

after(() => Object.values(apps).forEach((app) => app.close()))

// both has a test for each app.
const both = (name, check) => Object.keys(JSON.parse(process.env.APPS)).forEach((source) => test(`${name}, by ${source}`, () => check(apps[source], source)))

// ask is a question to voipd that the module has no function for.
const ask = async (app, path) => (await fetch(app.settings.address + path, { headers: { Authorization: 'Bearer ' + app.settings.token } })).json()

const begin = (name) => office('/begin', { name })
const over = async (name) => (await office('/over', { name })).callId

// eventually waits until voipd answers as wanted, for at most 5 s.
async function eventually(app, path, of, want) {
  for (const end = Date.now() + 5000; ;) {
    const is = of(await ask(app, path))
    if (`${is}` === `${want}`) return
    assert.ok(Date.now() < end, `${path}: ${is}, want ${want}`)
    await new Promise((done) => setTimeout(done, 50))
  }
}

// lines are a call's events in their order, those of a call with the operator
// whom they are about: "call.started 116", "record.created".
const about = ({ type, result }) => result.event ? `${type} ${result.event.dstPhone}` : type
const lines = (app, callId) => app.of(callId).map(about)

// told waits for a call's last event and gives the call as the app has it.
async function told(app, callId, last) {
  await app.until(`${last} of ${callId}`, (t) => t.type === last && t.result.callRecord?.callId === callId)
  const { call, ...record } = app.records(callId)[0].result.callRecord
  return { call, record, lines: lines(app, callId) }
}

// judge compares a record with what it must be; the length of a talk may be a
// second more or less.
function judge({ duration, ...record }, want) {
  assert.deepEqual(record, { callId: want.callId, direction: want.direction, disposition: 'app-' + want.disposition,
    srcPhone: want.src, dstPhone: want.dst, srcPhoneExt: undefined, dstPhoneExt: undefined })
  assert.ok(Math.abs(duration - want.seconds) <= 1, `${duration} s, want ${want.seconds}`)
}

// play fetches the audio as the widget's player would: it is as long as the
// talk, hold and consultation included.
async function play(app, call, record) {
  const audio = await fetch(await app.brix.VoipGetCallLink(call))
  assert.deepEqual([audio.status, audio.headers.get('content-type')], [200, 'audio/wav'])
  const heard = await office('/heard', new Uint8Array(await audio.arrayBuffer()))
  assert.ok(heard.audible, 'there is sound in it')
  assert.ok(Math.abs(heard.seconds - record.duration) < 1.5, `${heard.seconds} s of audio of a talk of ${record.duration} s`)
}

both('test connection', async (app) => assert.deepEqual({ ...await app.brix.VoipTestConnection() }, { success: true }))

both('members', async (app, source) => {
  const members = [...await app.brix.VoipGetMembers()]
  const ids = members.map((m) => m.id)
  for (const id of ['101', '107', '119', '134']) assert.equal(ids.filter((i) => i === id).length, 1, `${id} in ${ids}`)
  assert.ok(ids.every((id) => /^1\d\d$/.test(id)), `${ids}`)
  assert.equal(members.find((m) => m.id === '103').label, source === 'ari' ? '103' : '103 Пётр Ёлкин', 'ARI does not tell names')
})

test('transfers', async (t) => {
  await begin('app-attended')
  await begin('app-blind')
  const attended = await over('app-attended')
  const blind = await over('app-blind')
  for (const [source, app] of Object.entries(apps)) {
    await t.test(`two operators are rung, one answers and hands over after asking, by ${source}`, async () => {
      const { call, record, lines } = await told(app, attended, 'recording.ready')
      assert.deepEqual(lines, ['call.started 116', 'call.started 117', 'call.stopped_ringing 116', 'call.answered 117', 'call.held', 'call.started 118', 'call.answered 118',
        'call.answered 118', 'call.transferred', 'call.resumed', 'call.ended 117', 'record.created', 'recording.ready'])
      judge(record, { callId: attended, direction: 'in', disposition: 'answered', src: '79031000401', dst: '117', seconds: 10 })
      await play(app, call, record)
    })
    await t.test(`handed over without asking, by ${source}`, async () => {
      const { call, record, lines } = await told(app, blind, 'recording.ready')
      assert.deepEqual(lines, ['call.started 111', 'call.answered 111', 'call.held', 'call.resumed', 'call.transferred', 'call.started 112',
        'call.answered 112', 'call.ended 111', 'record.created', 'recording.ready'])
      judge(record, { callId: blind, direction: 'in', disposition: 'answered', src: '79031000402', dst: '111', seconds: 11 })
      await play(app, call, record)
    })
  }
})

for (const [source, src, dst] of [['ami', '114', '89161000401'], ['ari', '115', '89161000402']]) {
  test(`click to call, by ${source}`, async () => {
    await begin('app-click-' + source)
    await apps[source].brix.VoipGenerateCall(src, dst.replace(/^8(\d{3})/, '8 ($1) '))
    const callId = await over('app-click-' + source)
    for (const app of Object.values(apps)) {
      const { call, record, lines: [first, ...rest] } = await told(app, callId, 'recording.ready')
      judge(record, { callId, direction: 'out', disposition: 'answered', src, dst, seconds: 3 })
      await play(app, call, record)
      if (app === apps[source]) assert.equal(first, `call.started ${dst}`)
      else assert.match(first, /^call\.started /) // who did not place the call learns the number later
      assert.deepEqual(rest, [`call.answered ${dst}`, `call.ended ${dst}`, 'record.created', 'recording.ready'])
    }
  })
}

test('a missed call is one record, also where the app fails when it gets it', async (t) => {
  for (const app of Object.values(apps)) app.failing = true
  await begin('app-missed')
  await begin('app-cancelled')
  for (const app of Object.values(apps)) {
    await eventually(app, '/v1/members', ({ members }) => ['116', '117', '107', '101'].map((id) => members.find((m) => m.id === id).state),
      ['ringing', 'ringing', 'offline', 'idle'])
  }
  const cancelled = await over('app-cancelled')
  const missed = await over('app-missed')
  for (const [source, app] of Object.entries(apps)) {
    for (const [callId, operators, src, disposition] of [[missed, ['116', '117'], '79031000403', 'no-answer'], [cancelled, ['113'], '79031000404', 'cancel']]) {
      await t.test(`${operators}, by ${source}`, async () => {
        const { record } = await told(app, callId, 'record.created')
        judge(record, { callId, direction: 'in', disposition, src, dst: operators[0], seconds: 0 })
        await app.until('all again', () => app.of(callId).filter((t) => t.again).length === 2 * operators.length + 2)
        const once = [...operators.map((o) => 'call.started ' + o), ...operators.map((o) => 'call.stopped_ringing ' + o), `call.ended ${operators[0]}`, 'record.created']
        const got = lines(app, callId)
        assert.deepEqual([...got].sort(), once.flatMap((line) => [line, line]).sort())
        assert.ok(got.every((line, i) => i % 2 === 1 || got[i + 1] === line), `each again before the next: ${got}`)
        const kinds = got.filter((_, i) => i % 2 === 0).map((line) => line.split(' ')[0])
        assert.deepEqual(kinds, once.map((line) => line.split(' ')[0]), 'a card for each phone, and an end for each')
        assert.equal(app.records(callId).length, 1, 'one record by the ids of the events')
        const all = app.of(callId)
        for (let i = 0; i < all.length; i += 2) assert.deepEqual([all[i].id, all[i].body, all[i].again], [all[i + 1].id, all[i + 1].body, false])
      })
    }
  }
})

both('in the end', async (app) => {
  const calls = new Set(app.told.map((t) => JSON.parse(t.body)).map((b) => (b.event ?? b.callRecord).callId))
  assert.equal(calls.size, 6, `${[...calls]}`)
  for (const callId of calls) {
    const types = app.of(callId).filter((t) => !t.again).map((t) => t.type)
    assert.equal(types.filter((type) => type === 'record.created').length, 1, `${callId}: ${types}`)
    assert.equal(new Set(app.of(callId).map((t) => t.id)).size, types.length)
  }
  assert.ok(app.told.every((t) => !(t.result.response?.code >= 400)), 'the module took each signature and each body')
  await eventually(app, '/v1/health', ({ webhooks }) => [webhooks.waiting, webhooks.parked], [0, 0])
  await eventually(app, '/v1/members', ({ members }) => members.filter((m) => m.state === 'ringing' || m.state === 'busy').map((m) => m.id), [])
})
