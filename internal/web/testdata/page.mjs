// What the page's tests do in a browser. Each step prints one line of JSON: its name, and
// what was wrong. What it needs done outside the browser it asks of the test (CONTROL).
import { readFileSync } from 'node:fs'
import { chromium } from 'playwright-core'

const { VOIPD, CONTROL, CHROMIUM, AXE } = process.env
const axe = readFileSync(AXE, 'utf8')
const limit = Number(process.env.LIMIT ?? 60_000)
const browser = await chromium.launch({ executablePath: CHROMIUM })

const control = async (path) => {
  const answer = await fetch(CONTROL + path, { method: 'POST' })
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`)
  return answer.text()
}
const want = (is, what) => { if (!is) throw new Error(what) }

// open is a page of its own browser context. What its console calls an error, what its
// policy forbids and whatever leaves voipd fails the step, but for what may.
async function open({ width = 1280, height = 800, scheme = 'light', locale = 'en-GB', may = /^$/ } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, locale, timezoneId: 'Europe/Moscow', reducedMotion: 'reduce' })
  context.setDefaultTimeout(limit)
  const page = await context.newPage()
  page.wrong = []
  const wrong = (text) => { if (!may.test(text)) page.wrong.push(text) }
  await page.addInitScript(() => addEventListener('securitypolicyviolation', (e) => console.error('policy', e.violatedDirective, e.blockedURI)))
  page.on('console', (m) => { if (m.type() === 'error' || m.type() === 'warning') wrong(m.text()) })
  page.on('pageerror', (e) => wrong(e.message))
  page.on('request', (r) => { if (!r.url().startsWith(VOIPD) && !r.url().startsWith('data:')) wrong('asked for ' + r.url()) })
  page.on('dialog', (d) => { wrong('dialog ' + d.message()); d.dismiss() })
  return page
}

async function signedIn(options = {}, token = 'all-token') {
  const page = await open(options)
  await page.goto(VOIPD + '/')
  await page.fill('#token', token)
  await page.press('#token', 'Enter')
  await page.waitForSelector('nav')
  return page
}

const total = (page, n) => page.waitForFunction((n) => document.querySelector('.total')?.textContent.replace(/\D/g, '') === n, String(n), { timeout: limit })
  .catch(async () => { throw new Error(`${await page.textContent('.total')} calls, want ${n}, at ${page.url()}`) })

// sound is whether nothing serious is found by axe, and nothing is wider than the window.
async function sound(page, where) {
  await page.evaluate(axe)
  const found = await page.evaluate(() => axe.run({ resultTypes: ['violations'] }))
  const serious = found.violations.filter((v) => ['serious', 'critical'].includes(v.impact))
  want(!serious.length, `${where}: ` + serious.map((v) => `${v.id} ${v.nodes[0].html} ${v.nodes[0].any[0]?.message ?? ''}`).join('; '))
  const [wide, all] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
  want(wide <= all, `${where}: ${wide} wide in ${all}`)
  const out = await page.evaluate(() => [...document.querySelectorAll('header a, header button, .tools button, .tools a, .tools input, dialog[open] button, .card')]
    .filter((e) => e.offsetParent && !e.matches('.skip')).map((e) => [e, e.getBoundingClientRect()]).filter(([, b]) => b.right > innerWidth + 1 || b.left < -1).map(([e]) => e.outerHTML.slice(0, 80)))
  want(!out.length, `${where}: outside of the window: ${out}`)
  const bar = await page.evaluate(() => {
    const boxes = [...document.querySelectorAll('header.bar nav a, header.bar button')].map((e) => e.getBoundingClientRect())
    return boxes.some((a, i) => boxes.some((b, j) => i < j && a.left < b.right - 1 && b.left < a.right - 1))
  })
  want(!bar, `${where}: parts of the bar lie over each other`)
}

const steps = {
  async 'sign-in, out, and a wrong token'() {
    const page = await open({ may: /401/ })
    await page.goto(VOIPD + '/')
    await page.fill('#token', 'wrong')
    await page.click('button.primary')
    await page.getByText('voipd does not know this token.').waitFor()
    await page.fill('#token', 'ключ') // no header takes it
    await page.click('button.primary')
    await page.waitForFunction(() => !document.querySelector('button.primary').disabled)
    await page.fill('#token', 'all-token')
    await page.click('button.primary')
    await page.waitForSelector('.call')
    const [cookie] = await page.context().cookies()
    want(cookie.httpOnly && cookie.sameSite === 'Strict', 'the cookie is ' + JSON.stringify(cookie))
    await page.reload()
    await page.waitForSelector('.call')
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.waitForSelector('#token')
    await page.reload()
    await page.waitForSelector('#token')
    return page
  },
  async 'a one-time link works once'() {
    const link = await control('/link?name=all')
    const page = await open()
    await page.goto(link)
    await page.waitForSelector('.call')
    want(!page.url().includes('once'), 'the code stays in ' + page.url())
    const again = await open({ may: /401/ })
    await again.goto(link)
    await again.getByText('This link was used before').waitFor()
    want(await again.locator('nav').count() === 0, 'it signs in twice')
    page.wrong.push(...again.wrong)
    return page
  },
  async 'filters stand in the address'() {
    const page = await signedIn()
    await total(page, 1214)
    await page.getByRole('button', { name: 'Filters' }).click()
    const choose = async (name, value, n) => {
      const field = page.locator(`[name=${name}]`)
      if (await field.evaluate((e) => e.tagName) === 'SELECT') await field.selectOption(value)
      else { await field.fill(value); await field.press('Enter') }
      await total(page, n)
      want(page.url().includes(`${name}=`), `${name} is not in ${page.url()}`)
      await page.getByRole('button', { name: 'Clear all' }).click()
      await total(page, 1214)
    }
    await choose('direction', 'internal', 1)
    await choose('disposition', 'busy', 1)
    await choose('operator', '107', 1)
    await choose('queue', 'support', 1)
    await choose('did', '74950000001', 1)
    await choose('minDuration', '500', 1)
    await choose('recorded', 'true', 1)
    await choose('transferred', 'true', 1)
    await choose('approximate', 'true', 1)
    await choose('when', 'days7', 14)
    await choose('when', 'days30', 14)
    await choose('when', 'yesterday', 0)
    const find = async (text, n) => { await page.fill('input[type=search]', text); await total(page, n) }
    await find('903 765', 1)
    want(page.url().includes('number=903'), page.url())
    await find('zanzi', 1)
    want(page.url().includes('name=zanzi'), page.url())
    await find('', 1214)
    await page.locator('[name=when]').selectOption('range')
    await page.fill('[name=from]', '2026-01-01T00:00')
    await page.fill('[name=to]', '2026-01-01T00:10')
    await page.locator('[name=to]').press('Tab')
    await total(page, 10)
    const other = await page.context().newPage() // what a colleague sees who is sent the address
    await other.goto(page.url())
    await total(other, 10)
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Save what is shown' }).click()])
    const lines = readFileSync(await download.path(), 'utf8').trim().split('\n')
    want(lines.length === 11, `the CSV has ${lines.length} lines, want 11`)
    return page
  },
  async 'scrolling keeps the document small'() {
    const page = await signedIn()
    await total(page, 1214)
    let most = 0
    for (let at = -1; at < 1213;) {
      await page.evaluate(() => { const box = document.querySelector('.rows'); box.scrollTop = box.scrollHeight })
      await page.waitForFunction((had) => Math.max(...[...document.querySelectorAll('.call')].map((e) => Number(e.dataset.index))) > had, at)
      at = await page.evaluate(() => Math.max(...[...document.querySelectorAll('.call')].map((e) => Number(e.dataset.index))))
      most = Math.max(most, await page.locator('.call').count())
    }
    want(most <= 60, `${most} rows are in the document`)
    return page
  },
  async 'hostile names are inert'() {
    for (const width of [360, 1280]) {
      const page = await signedIn({ width })
      await page.goto(VOIPD + '/#/calls?number=5550')
      await total(page, 4)
      await page.waitForSelector('.call .name')
      const names = await page.locator('.call .name').allTextContents()
      want(names.some((n) => n.includes('<img src=x onerror=')) && names.some((n) => n.includes('😀')), `shown are ${names}`)
      const heights = await page.locator('.rows li').evaluateAll((all) => all.map((e) => e.getBoundingClientRect().height))
      want(new Set(heights).size === 1, `rows are ${heights} high`)
      const over = await page.locator('.call').evaluateAll((all) => all.filter((e) => e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1).map((e) => e.textContent))
      want(!over.length, `rows that run over at ${width}: ${over}`)
      await sound(page, `hostile names at ${width}`)
      for (let i = 0; i < 4; i++) {
        await page.locator(`[data-index="${i}"]`).click()
        await page.waitForSelector('dialog[open] .fields')
        await sound(page, `the call of a hostile name at ${width}`)
        await page.keyboard.press('Escape')
        await page.waitForSelector('dialog', { state: 'detached' })
      }
      want(await page.locator('img').count() === 0 && !(await page.evaluate(() => window.hit)), 'a name became an element')
      want(!page.wrong.length, page.wrong.join('; '))
      if (width === 1280) return page
    }
  },
  async 'a call comes in live, and its recording plays'() {
    const page = await signedIn()
    await total(page, 1214)
    await control('/play/in-answered')
    await total(page, 1215)
    const parts = []
    page.on('response', (r) => { if (r.url().includes('/v1/recordings/')) parts.push(r.status()) })
    const row = page.locator('[data-index="0"]')
    await row.click()
    await page.waitForSelector('dialog[open] .track i.talk')
    want(page.url().includes('call='), 'the call is not in the address: ' + page.url())
    await page.getByRole('button', { name: 'Play' }).click()
    await page.waitForFunction(() => document.querySelector('audio').currentTime > 0.2)
    want(parts.includes(206), `the audio was answered with ${parts}`)
    await page.waitForSelector('svg.wave path')
    want(new Set((await page.locator('svg.wave path').first().getAttribute('d')).match(/V[\d.]+/g)).size > 3, 'the waveform is flat')
    await page.getByRole('combobox', { name: 'Speed' }).selectOption('2')
    want(await page.evaluate(() => document.querySelector('audio').playbackRate) === 2, 'the speed is not 2')
    await page.getByRole('group', { name: 'Jump to' }).getByRole('button').first().click()
    await page.getByRole('button', { name: '10 seconds ahead' }).click()
    await page.waitForFunction(() => { const a = document.querySelector('audio'); return a.ended || a.currentTime > 1 })
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download' }).click()])
    want(readFileSync(await download.path()).length > 1000, 'the download is empty')
    const text = await page.locator('dialog').innerText()
    for (const part of ['answers', 'talks with', 'a conversation took place', 'The record as JSON']) want(text.includes(part), `no "${part}" in ${text}`)
    await sound(page, 'a call')
    await page.keyboard.press('Escape')
    await page.waitForSelector('dialog', { state: 'detached' })
    // Who reads further down is not moved by what comes in above.
    await page.evaluate(() => { document.querySelector('.rows').scrollTop = 1500 })
    await page.waitForSelector('[data-index="28"]')
    const place = () => page.evaluate(() => { const e = document.querySelector('[data-call="1.1185"]'); return e && e.getBoundingClientRect().top })
    const was = await place()
    await control('/play/in-cancel')
    await total(page, 1216)
    await page.waitForFunction(() => document.querySelector('.rows').scrollTop > 1550)
    want(was !== null && await place() === was, `the row was at ${was} and is at ${await place()}`)
    await page.goBack()
    await page.waitForSelector('dialog[open] .track i.talk')
    const other = await page.context().newPage() // the call's own address
    await other.goto(page.url())
    await other.waitForSelector('dialog[open] .track i.talk')
    return page
  },
  async 'what goes on now, and the PBX away'() {
    const page = await signedIn()
    await page.getByRole('link', { name: 'Now' }).click()
    await page.getByText('No calls go on').waitFor()
    await page.locator('.person', { hasText: 'Irina' }).waitFor()
    const over = control('/play/in-answered')
    await page.locator('.card.talking').waitFor()
    await sound(page, 'now')
    await over
    await page.getByText('No calls go on').waitFor()
    await control('/away?on=yes')
    await page.getByText('The PBX is away').waitFor()
    await sound(page, 'now, and the PBX away')
    await page.getByRole('link', { name: 'Health' }).click()
    await page.getByText('Something is failing').waitFor()
    page.wrong = page.wrong.filter((w) => !w.includes('503')) // which is what it says
    await sound(page, 'health that fails')
    await control('/away')
    await page.getByText('All is well').waitFor()
    page.wrong = page.wrong.filter((w) => !w.includes('503'))
    return page
  },
  async 'parked events are sent again, facts are saved'() {
    const page = await signedIn()
    const saved = async (link) => {
      const [file] = await Promise.all([page.waitForEvent('download'), link.click()])
      return readFileSync(await file.path(), 'utf8')
    }
    await control('/play/in-answered')
    await page.getByRole('link', { name: 'Health' }).click()
    const hook = page.locator('[data-hook=crm]')
    await hook.getByRole('button', { name: 'Look at them' }).click()
    await hook.locator('.parked li').first().waitFor()
    const text = await hook.innerText()
    for (const part of ['record.created', '400 no such office', 'Tries: 1']) want(text.includes(part), `no "${part}" in ${text}`)
    await page.getByText('Free on its disk').waitFor()
    await page.getByText('Save the facts here').waitFor()
    await sound(page, 'health with parked events')
    const aside = await saved(page.getByRole('link', { name: 'For a bug report' }))
    want(aside.includes('"voipdTrace":1') && aside.includes('9.9') && !aside.includes('79035554433'), `saved is ${aside}`)
    await control('/take')
    await hook.getByRole('button', { name: /^Send again/ }).last().click()
    await hook.getByRole('status').filter({ hasText: 'Sent again: 1' }).waitFor()
    await control('/play/in-cancel') // it is taken
    await hook.locator('small', { hasText: 'Last answer: 200' }).waitFor()
    await page.goto(VOIPD + '/#/calls?number=79166660000&disposition=no_answer')
    await page.locator('.call', { hasText: '+7 916 666-00-00' }).first().click()
    await page.getByText('Called back').waitFor()
    want(/101 \(after 1:3\d\)/.test(await page.locator('[data-returned]').innerText()), await page.locator('[data-returned]').innerText())
    await page.locator('[data-returned] a').click()
    await page.locator('dialog h2', { hasText: '101 → +7 916 666-00-00' }).waitFor()
    await page.goto(VOIPD + '/#/calls?number=79031000001')
    await page.locator('.call', { hasText: '+7 903 100-00-01' }).first().click()
    await page.waitForSelector('dialog[open] .fields')
    await page.locator('summary', { hasText: 'The facts behind it' }).click()
    await page.locator('dialog pre', { hasText: 'voipdTrace' }).waitFor()
    await sound(page, 'facts')
    const [plain, disguised] = [await saved(page.getByRole('link', { name: 'As they are' })), await saved(page.getByRole('link', { name: 'For a bug report' }))]
    want(plain.includes('79031000001') && !disguised.includes('79031000001') && disguised.split('\n').length === plain.split('\n').length, `the facts are ${plain}, disguised ${disguised}`)
    return page
  },
  async 'whom to call back'() {
    const page = await signedIn({ may: /403/ })
    await page.getByRole('link', { name: 'To call back' }).click()
    await page.waitForSelector('.over .live:not(.off)')
    const before = await page.locator('[data-missed]').count()
    await control('/play/in-cancel')
    const line = page.locator('[data-missed]').first()
    await line.getByRole('button', { name: 'Dismiss' }).waitFor()
    await page.waitForFunction((n) => document.querySelectorAll('[data-missed]').length >= Math.max(1, n), before)
    await sound(page, 'whom to call back')
    want(await line.getByRole('button', { name: 'Call back' }).isDisabled(), 'calls can be placed from nowhere')
    await page.locator('[name=own]').selectOption('101')
    await line.getByRole('button', { name: 'Call back' }).click()
    await line.getByRole('status').filter({ hasText: /switched off|\[calls\]|sources/ }).waitFor()
    const number = await line.locator('.title').textContent()
    await line.getByRole('button', { name: 'Dismiss' }).focus()
    await page.keyboard.press('Enter')
    await page.waitForFunction(() => document.activeElement.name === 'note')
    await page.keyboard.type('wrote to us')
    await sound(page, 'a note')
    await page.keyboard.press('Enter')
    await page.waitForFunction((number) => ![...document.querySelectorAll('[data-missed] .title')].some((e) => e.textContent === number), number)
    await control('/play/in-cancel')
    await page.locator('[data-missed] .title', { hasText: number }).waitFor()
    await page.locator('[name=days]').selectOption('30')
    want(page.url().includes('#/missed?days=30'), page.url())
    await page.locator('[data-missed] .title', { hasText: number }).click()
    await page.waitForSelector('dialog[open] .fields')
    const narrow = await signedIn({ width: 360 }, 'reader-token')
    await narrow.goto(VOIPD + '/#/missed')
    await narrow.waitForSelector('[data-missed]')
    want(await narrow.getByRole('button', { name: /Dismiss|Call back/ }).count() === 0, 'a reader may dismiss or call')
    await sound(narrow, 'whom to call back at 360')
    page.wrong.push(...narrow.wrong)
    return page
  },
  async 'each view in each size, colour and language'() {
    for (const [width, scheme, locale, words] of [[360, 'dark', 'ru-RU', ['Звонки', 'Перезвонить', 'Сейчас', 'Цифры', 'Состояние']], [1920, 'light', 'en-US', ['Calls', 'To call back', 'Now', 'Figures', 'Health']], [360, 'light', 'en-US', ['Calls', 'To call back', 'Now', 'Figures', 'Health']], [1920, 'dark', 'ru-RU', ['Звонки', 'Перезвонить', 'Сейчас', 'Цифры', 'Состояние']]]) {
      const page = await open({ width, scheme, locale })
      await page.goto(VOIPD + '/')
      await page.waitForSelector('#token')
      await sound(page, `sign-in ${width} ${scheme} ${locale}`)
      await page.fill('#token', 'all-token')
      await page.click('button.primary')
      for (const word of words) {
        await page.getByRole('link', { name: word }).click()
        await page.waitForSelector(word === words[0] ? '.call' : '.board .card, .board .person, .board .empty')
        if (page.url().includes('figures')) await page.waitForSelector('.chart')
        await sound(page, `${word} ${width} ${scheme}`)
      }
      want(await page.getAttribute('html', 'lang') === locale.slice(0, 2), 'the language of the document')
      await page.getByRole('link', { name: words[0] }).click()
      await page.locator('.filters .row button').click()
      await page.waitForSelector('#filters')
      await sound(page, `filters ${width} ${scheme}`)
      await page.getByRole('button', { name: locale === 'ru-RU' ? 'English' : 'Русский' }).click()
      await page.getByRole('link', { name: locale === 'ru-RU' ? 'Calls' : 'Звонки' }).waitFor()
      want(!page.wrong.length, page.wrong.join('; '))
      await page.context().close()
    }
    return open()
  },
  async 'keyboard alone'() {
    const page = await open()
    await page.goto(VOIPD + '/#/calls?recorded=true&operator=101&number=79031')
    await page.waitForSelector('#token:focus')
    await page.keyboard.type('all-token')
    await page.keyboard.press('Enter')
    await page.waitForSelector('.call')
    const focused = (f) => page.evaluate(f)
    for (let i = 0; !(await focused(() => document.activeElement.matches('.call'))); i++) {
      want(i < 40, 'Tab never comes to the list')
      await page.keyboard.press('Tab')
    }
    await page.keyboard.press('ArrowDown')
    await page.waitForFunction(() => document.activeElement.dataset.index === '1')
    await page.keyboard.press('Enter')
    await page.waitForSelector('dialog[open] audio', { state: 'attached' })
    await page.waitForFunction(() => document.querySelector('dialog[open]').contains(document.activeElement))
    await page.waitForFunction(() => document.querySelector('audio').readyState > 0)
    await page.keyboard.press('k')
    await page.waitForFunction(() => document.querySelector('audio').currentTime > 0)
    await page.keyboard.press('Escape')
    await page.waitForSelector('dialog', { state: 'detached' })
    await page.waitForFunction(() => document.activeElement.dataset.index === '1')
    return page
  },
  async 'a token that may not hear, nor see health'() {
    const page = await signedIn({}, 'reader-token')
    await page.waitForSelector('.call')
    want(await page.getByRole('link', { name: 'Health' }).count() === 0, 'health is offered')
    await page.goto(VOIPD + '/#/calls?recorded=true')
    await page.locator('[data-index="0"]:has(.rec .icon)').click() // the list of before may still stand there
    await page.getByText('This token may not hear recordings.').waitFor()
    want(await page.locator('audio').count() === 0, 'there is a player')
    want(await page.getByText(/The record as JSON|The facts behind it/).count() === 0, 'raw JSON is for admins')
    return page
  },
  async 'a token for which numbers are masked'() {
    await control('/play/in-cancel')
    const page = await signedIn({ may: /403/ }, 'masked-token')
    await page.waitForSelector('.call')
    const whole = /\d[\s()-]*\d[\s()-]*\d[\s()-]*\d[\s()-]*\d[\s()-]*\d[\s()-]*\d/
    const clean = async (where) => {
      const numbers = await page.evaluate(() => [...document.querySelectorAll('main bdi, dialog bdi')].map((e) => e.textContent))
      const seen = numbers.filter((n) => /•/.test(n))
      const bad = numbers.filter((n) => !/^\d+\.\d+$/.test(n) && /\+?[78]\s?9\d\d[\s-]?\d{3}/.test(n))
      want(!bad.length, `${where}: ${bad}`)
      return seen.length
    }
    want(await clean('calls') > 0, 'no number is masked')
    await page.locator('.call').first().click()
    await page.waitForSelector('dialog[open] .fields')
    await clean('a call')
    want(await page.getByText('The facts behind it').count() === 0, 'facts have numbers in whole')
    want(!whole.test((await page.locator('dialog pre').textContent()).replace(/"(callId|at|id|recording|startedAt|answeredAt|endedAt)":\s*"[^"]*"/g, '').replace(/"(did)":\s*"[^"]*"/g, '')), 'the raw record shows a number')
    await page.keyboard.press('Escape')
    await page.fill('input[type=search]', '903')
    await page.waitForFunction(() => location.hash.includes('number=903'))
    await page.fill('input[type=search]', '7903765')
    await page.getByText('Numbers of people outside are masked').waitFor()
    await page.goto(VOIPD + '/#/missed')
    await page.waitForSelector('[data-missed]')
    want(await clean('to call back') > 0, 'no number to call back is masked')
    want(await page.getByRole('button', { name: 'Call back' }).count() === 0, 'a number that is not known can be called')
    const id = await page.locator('[data-missed]').first().getAttribute('data-missed')
    const line = page.locator(`[data-missed="${id}"]`)
    await line.getByRole('button', { name: 'Dismiss' }).click()
    await page.waitForFunction(() => document.activeElement.name === 'note')
    await page.keyboard.press('Enter')
    await line.waitFor({ state: 'detached' })
    await page.getByRole('link', { name: 'Figures' }).click()
    await page.waitForSelector('.chart')
    await clean('figures')
    return page
  },
  async 'a revoked token ends the session'() {
    const page = await signedIn({ may: /401/ }, 'reader-token')
    await page.waitForSelector('.call')
    await control('/revoke?name=reader')
    await page.evaluate(() => { location.hash = '#/now' }) // not by the link: an event may have led to the sign-in before
    await page.getByText('The session has ended. Sign in again.').waitFor()
    return page
  },
}

for (const [name, step] of Object.entries(steps)) {
  if (!name.includes(process.env.ONLY ?? '')) continue
  let problem = ''
  try {
    const page = await step()
    problem = page.wrong.join('; ')
  } catch (e) {
    problem = String(e.stack ?? e)
  }
  console.log(JSON.stringify({ name, problem }))
  for (const context of browser.contexts()) await context.close()
}
await browser.close()
