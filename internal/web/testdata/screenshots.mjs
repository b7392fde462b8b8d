// Pictures of the demo's page, for docs/page (scripts/screenshots.sh).
import { chromium } from 'playwright-core'

const { VOIPD, OUT, CHROMIUM } = process.env
const browser = await chromium.launch({ executablePath: CHROMIUM })
const looks = { desktop: { viewport: { width: 1280, height: 760 }, colorScheme: 'light', locale: 'en-GB' }, phone: { viewport: { width: 390, height: 760 }, colorScheme: 'dark', locale: 'en-GB' } }
const pages = {}
for (const [name, look] of Object.entries(looks)) {
  const page = await (await browser.newContext({ ...look, reducedMotion: 'reduce' })).newPage()
  await page.goto(VOIPD + '/#/now')
  await page.fill('#token', 'demo')
  await page.press('#token', 'Enter')
  pages[name] = page
}
const shoot = async (view) => { for (const [name, page] of Object.entries(pages)) await page.screenshot({ path: `${OUT}/${view}-${name}.png` }) }

for (const page of Object.values(pages)) await page.waitForFunction(() => document.querySelectorAll('.card').length >= 4 && document.querySelector('.card.talking'))
await shoot('now')
for (const page of Object.values(pages)) {
  await page.goto(VOIPD + '/#/calls')
  await page.waitForFunction(() => Number(document.querySelector('.total')?.textContent) >= 20, undefined, { timeout: 120_000 })
  await page.waitForFunction(() => document.querySelectorAll('.rec .icon').length >= 10)
}
await shoot('calls')
for (const page of Object.values(pages)) {
  await page.goto(VOIPD + '/#/calls?transferred=true')
  await page.waitForFunction(() => document.querySelector('.total')?.textContent === '1')
  await page.click('.call')
  await page.waitForFunction(() => document.querySelector('audio')?.readyState > 0)
  await page.evaluate(() => document.activeElement.blur())
}
await shoot('call')
for (const page of Object.values(pages)) {
  await page.goto(VOIPD + '/#/health')
  await page.waitForSelector('.card')
}
await shoot('health')
await browser.close()
