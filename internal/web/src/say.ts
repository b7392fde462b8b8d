// Texts, numbers and times in the language and zone of whoever looks.
import { texts, type Key, type Language } from './texts'

const kept = () => { try { return localStorage.getItem('voipd.language') } catch { return null } }

let language: Language = (kept() ?? navigator.language).startsWith('ru') ? 'ru' : 'en'

export const t = (key: Key) => texts[language][key]
export const lang = () => language

export function setLanguage(to: Language) {
  language = to
  make()
  try { localStorage.setItem('voipd.language', to) } catch { /* it holds until the page is closed */ }
  document.documentElement.lang = to
}

let format: Record<'time' | 'seconds' | 'day' | 'full' | 'short', Intl.DateTimeFormat>
let number: Intl.NumberFormat
function make() {
  const of = (o: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(language === 'en' ? navigator.language.startsWith('en') ? navigator.language : 'en' : 'ru', o)
  format = {
    time: of({ hour: '2-digit', minute: '2-digit' }), seconds: of({ hour: '2-digit', minute: '2-digit', second: '2-digit' }),
    day: of({ day: 'numeric', month: 'short' }), full: of({ dateStyle: 'full', timeStyle: 'medium' }), short: of({ day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit' }),
  }
  number = new Intl.NumberFormat(language)
}
make()
document.documentElement.lang = language

export const when = (at: string | undefined, how: keyof typeof format) => (at ? format[how].format(new Date(at)) : '')
export const share = (n: number) => new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 }).format(n)
export const count = (n: number) => number.format(n)
export const bytes = (n: number) => {
  const power = n >= 2 ** 30 ? 3 : n >= 2 ** 20 ? 2 : 1
  return new Intl.NumberFormat(language, { style: 'unit', unit: ['kilobyte', 'megabyte', 'gigabyte'][power - 1], maximumFractionDigits: n / 2 ** (10 * power) < 10 ? 1 : 0 }).format(n / 2 ** (10 * power))
}
export const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone

// dayOf tells days apart in the viewer's zone.
export const sameDay = (a: string, b: Date) => new Date(a).toDateString() === b.toDateString()

// clock is a length: 0:07, 12:30, 1:02:03.
export function clock(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000))
  const two = (n: number) => String(n).padStart(2, '0')
  return s >= 3600 ? `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`
}

// phone spaces a number for reading, where its plan is known.
export function phone(n: string): string {
  if (n === 'anonymous') return t('anonymous')
  const ru = /^\+?7(\d{3})(\d{3})(\d\d)(\d\d)$/.exec(n)
  return ru ? `+7 ${ru[1]} ${ru[2]}-${ru[3]}-${ru[4]}` : n
}

export const outcome = (d: string) => t(d === 'failed' ? 'failedCall' : (d as Key))
