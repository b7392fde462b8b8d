// A stand-in for the app: it has the types of app.d.ts as values, runs the
// module's functions as the app would, and takes webhooks over HTTP.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import vm from 'node:vm'
import ts from 'typescript'

const folder = fileURLToPath(new URL('..', import.meta.url))

// compiled is voip.ts, checked against app.d.ts, as JavaScript.
function compiled() {
  const read = ts.readConfigFile(folder + 'tsconfig.json', ts.sys.readFile)
  const config = ts.parseJsonConfigFileContent(read.config, ts.sys, folder)
  const program = ts.createProgram(config.fileNames, config.options)
  const wrong = ts.getPreEmitDiagnostics(program)
  if (wrong.length) {
    throw new Error(ts.formatDiagnostics(wrong, { getCanonicalFileName: (f) => f, getCurrentDirectory: () => folder, getNewLine: () => '\n' }))
  }
  let script = ''
  program.emit(undefined, (name, text) => { if (name.endsWith('voip.js')) script = text })
  return script
}
const script = compiled()

class HttpResponse {
  status(code) { this.code = code; return this }
  content(text) { this.text = text; return this }
}

// enums are the members of an app, as its help article has them.
export const enums = {
  VoipCallDirection: { In: 'in', Out: 'out', Internal: 'internal' },
  VoipCallDisposition: { Answered: 'app-answered', Busy: 'app-busy', Cancel: 'app-cancel', NoAnswer: 'app-no-answer', Unknown: 'app-unknown' },
  VoipWebhookEvent: { NotifyStart: 'app-start', NotifyAnswer: 'app-answer', NotifyEnd: 'app-end' },
}

// module gives the module's functions in an app with these settings, of voip.ts
// as an admin changed it.
export function module(settings, has = enums, changed = (script) => script) {
  const log = []
  const context = vm.createContext({ ...has, HttpResponse, fetch, Namespace: { params: { data: settings } }, console: { log: (text) => log.push(text) } })
  vm.runInContext(changed(script), context)
  return { ...context, log }
}

// office asks the harness, a Go test, which has voipd and a PBX; the body is
// JSON unless it is bytes.
export async function office(path, ask = {}) {
  const res = await fetch(process.env.OFFICE + path, { method: 'POST', body: ask instanceof Uint8Array ? ask : JSON.stringify(ask) })
  const text = await res.text()
  assert.ok(res.ok, text)
  return JSON.parse(text)
}

// App takes webhooks and keeps what the module makes of them.
export class App {
  settings = {}
  failing = false // an event that comes for the first time is taken, and yet answered with 500
  told = [] // {type, id, again, body, headers, result}; again: it came before
  #waiting = []

  async open(port = 0) {
    this.server = createServer((req, res) => this.#take(req, res))
    await new Promise((done) => this.server.listen(port, '127.0.0.1', done))
    return `http://127.0.0.1:${this.server.address().port}/hook`
  }

  close() { this.server.closeAllConnections(); this.server.close() }

  async #take(req, res) {
    let body = ''
    req.setEncoding('utf8')
    for await (const piece of req) body += piece
    const result = await module(this.settings).VoipParseWebhookRequest({ headers: req.headers, body })
    const id = req.headers['webhook-id']
    const again = this.told.some((t) => t.id === id)
    this.told.push({ type: JSON.parse(body).type, id, again, body, headers: req.headers, result })
    const lost = this.failing && !again
    res.writeHead(lost ? 500 : result.response?.code ?? 200).end(lost ? 'the app fails' : result.response?.text)
    this.#waiting = this.#waiting.filter((look) => !look())
  }

  // until waits for what was told to have something.
  until(what, has) {
    return new Promise((done, fail) => {
      const late = setTimeout(() => fail(new Error(`${what} did not come; told: ${this.told.map((t) => t.type)}`)), 30_000)
      const look = () => {
        const found = this.told.find(has)
        if (found) { clearTimeout(late); done(found) }
        return Boolean(found)
      }
      if (!look()) this.#waiting.push(look)
    })
  }

  // of is what was told of a call, in the order in which it came.
  of(callId) { return this.told.filter((t) => t.body.includes(`"callId":"${callId}"`)) }

  // An app takes each event once: it knows by the id which it had.
  events() { return this.told.filter((t) => !t.again && t.result.event) }
  records(callId) { return this.told.filter((t) => !t.again && t.result.callRecord?.callId === callId) }
}
