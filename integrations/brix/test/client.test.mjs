import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { office } from './app.mjs'
import { compiled, run } from './generated.mjs'

let at, voipd

before(async () => {
  assert.ok(process.env.OFFICE, 'these tests are run by: go test ./integrations/brix')
  const { wrong, script } = compiled()
  assert.deepEqual(wrong, [])
  at = await office('/start')
  voipd = run(script).connect(at.address, at.token)
  await until(async () => (await voipd.health())[1] === 'up')
})

after(() => office('/stop'))

async function until(is) {
  for (const end = Date.now() + 20_000; ;) {
    const found = await is()
    if (found) return found
    assert.ok(Date.now() < end, `waited for ${is}`)
    await new Promise((done) => setTimeout(done, 50))
  }
}

test('the types tell of mistakes', () => {
  for (const [good, bad] of [["'/v1/members'", "'/v1/member'"], ['limit: 1', "limit: '1'"], ['srcPhone:', 'src:'], ['member.state', 'member.busy']]) {
    assert.notEqual(compiled((text) => text.replace(good, bad)).wrong.length, 0, bad)
  }
})

test('calls, records, a recording', async () => {
  const played = office('/play', { name: 'in-answered' })
  const [open] = await until(async () => { const calls = await voipd.calls(); return calls[0]?.state === 'talking' && calls })
  assert.deepEqual([open.direction, open.srcPhone, open.talking], ['in', '79031000001', ['79031000001', '101']])
  const { callId } = await played
  assert.equal(open.callId, callId)
  const { callId: missed } = await office('/play', { name: 'in-noanswer' })
  await until(async () => (await voipd.ids('in')).length === 2)
  assert.deepEqual(await voipd.ids('in'), [missed, callId])
  assert.deepEqual(await voipd.ids('out'), [])

  const { call, told } = await voipd.record(callId)
  assert.deepEqual(told, ['answered', true, true])
  const audio = await until(async () => {
    const res = await fetch(await voipd.link(call).catch((e) => { assert.match(e.message, /written|no recording/i); return 'data:,' }))
    return res.headers.get('Content-Type') === 'audio/wav' && res
  })
  assert.equal(Buffer.from(await audio.arrayBuffer()).subarray(0, 4).toString(), 'RIFF')
})

test('members and health', async () => {
  assert.deepEqual(await voipd.members(), ['101 Irina idle', '108  offline'])
  assert.deepEqual(await voipd.health(), ['ok', 'up'])
})

test('problems', async () => {
  const problem = (status, name) => [status, 'application/problem+json', status, 'urn:voipd:problem:' + name]
  assert.deepEqual(await voipd.problems(), [problem(404, 'unknown-call'), problem(422, 'bad-request'), problem(401, 'unauthorised'), problem(403, 'source-refused')])
})

test('the PBX is away', async () => {
  await office('/cut')
  await until(async () => (await voipd.health())[0] === 'failing')
})
