// Goes through the page of a centre in Chromium. Ends with an error where something is
// not as it should be.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'

const { chromium } = createRequire(import.meta.url)(process.env.PLAYWRIGHT)
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM })
const page = await browser.newPage()
const problems = []
page.on('console', (m) => { if (m.type() === 'error') problems.push(m.text()) })
page.on('pageerror', (e) => problems.push(String(e)))
try {
  await page.goto(process.env.CENTRE + '/')
  await page.fill('#token', process.env.TOKEN)
  await page.click('button.primary')
  await page.waitForSelector('[data-call]')
  // A list that is read anew is empty for a moment.
  const tags = (want) => page.waitForFunction((want) => [...document.querySelectorAll('.call .queue .tag')].map((e) => e.textContent).sort().join() === want, want)
  await tags('berlin,kazan')
  assert.equal(await page.locator('nav a').count(), 2, 'calls and health, and not what goes on')
  await page.goto(process.env.CENTRE + '/#/calls?pbx=kazan')
  await tags('kazan')
  await page.click('[data-call]')
  await page.waitForSelector('dialog .fields')
  assert.match(await page.locator('dialog .fields').innerText(), /kazan/)
  assert.deepEqual(problems, [])
} finally {
  await browser.close()
}
