// Pictures of the demo's page, for docs/page (scripts/screenshots.sh): each view, on a desk
// and on a phone, light and dark.
import { createServer } from 'node:http'
import { chromium } from 'playwright-core'

const { VOIPD, OUT, CHROMIUM } = process.env

// A webhook that takes nothing, so that Health has something to show.
const crm = createServer((_, answer) => answer.writeHead(400).end('no customer has this number'))
await new Promise((listening) => crm.listen(0, '127.0.0.1', listening))
const added = await fetch(VOIPD + '/v1/webhooks', { method: 'POST', headers: { Authorization: 'Bearer demo', 'Content-Type': 'application/json' },
  body: JSON.stringify({ name: 'crm', url: `http://127.0.0.1:${crm.address().port}/voip`, events: ['record.created'] }) })
if (!added.ok) throw new Error(await added.text())

const browser = await chromium.launch({ executablePath: CHROMIUM })
const pages = {}
for (const [size, viewport] of Object.entries({ desktop: { width: 1280, height: 760 }, phone: { width: 390, height: 760 } })) {
  for (const colorScheme of ['light', 'dark']) {
    const page = await (await browser.newContext({ viewport, colorScheme, locale: 'en-GB', reducedMotion: 'reduce' })).newPage()
    await page.goto(VOIPD + '/#/now')
    await page.fill('#token', 'demo')
    await page.press('#token', 'Enter')
    pages[`${size}-${colorScheme}`] = page
  }
}

// shoot takes pictures of a view once it shows what it should.
async function shoot(view, address, ready) {
  for (const page of Object.values(pages)) {
    if (address) await page.goto(VOIPD + address)
    await ready(page)
  }
  for (const [name, page] of Object.entries(pages)) await page.screenshot({ path: `${OUT}/${view}-${name}.png` })
}

await shoot('now', '', (page) => page.waitForFunction(() => document.querySelectorAll('.card').length >= 4 && document.querySelector('.card.talking')))
await shoot('calls', '/#/calls', async (page) => {
  await page.waitForFunction(() => Number(document.querySelector('.total')?.textContent) >= 20, undefined, { timeout: 120_000 })
  await page.waitForFunction(() => document.querySelectorAll('.rec .icon').length >= 10)
})
await shoot('call', '/#/calls?transferred=true', async (page) => {
  await page.waitForFunction(() => document.querySelector('.total')?.textContent === '1')
  await page.click('.call')
  await page.waitForFunction(() => document.querySelector('audio')?.readyState > 0 && document.querySelector('.wave'))
  await page.evaluate(() => document.activeElement.blur())
})
await shoot('missed', '/#/missed', (page) => page.waitForSelector('[data-missed]'))
await shoot('figures', '/#/figures', (page) => page.waitForSelector('.chart'))
await shoot('health', '/#/health', async (page) => {
  await page.getByRole('button', { name: 'Look at them' }).click()
  await page.waitForSelector('.parked li')
})
await browser.close()
crm.close()
