// Webhooks, and the events that each did not take: look at them, send them again.
import { useEffect, useState } from 'preact/hooks'
import { ask, type Delivery, Problem, type Webhook } from './api'
import { href } from './route'
import { count, t, when } from './say'
import type { Key } from './texts'
import { Icon } from './icons'

const path = (name: string) => `/v1/webhooks/${encodeURIComponent(name)}`
const why = (e: unknown) => (e instanceof Problem && e.status ? e.message : t('unreachable'))
const states: Record<string, Key> = { working: 'hookWorking', failing: 'hookFailing', paused: 'hookPaused' }
const answered = (status: number, answer?: string) => [status ? String(status) : t('noAnswer'), answer].filter(Boolean).join(' ')

export function Webhooks({ may }: { may: (scope: string) => boolean }) {
  const [list, setList] = useState<Webhook[]>([])
  const [problem, setProblem] = useState('')
  const load = () => ask<{ webhooks: Webhook[] }>('/v1/webhooks').then((v) => { setList(v.webhooks); setProblem('') }, (e) => setProblem(why(e)))
  useEffect(() => {
    load()
    const again = setInterval(() => { if (!document.hidden) load() }, 5000)
    return () => clearInterval(again)
  }, [])
  if (!list.length && !problem) return null
  return (
    <section aria-labelledby="hooks">
      <h2 id="hooks">{t('webhooks')}</h2>
      {problem && <p class="problem" role="alert">{problem}</p>}
      <ul class="hooks" role="list">{list.map((w) => <Hook key={w.name} hook={w} write={may('webhooks:write')} calls={may('records:read')} changed={load} />)}</ul>
    </section>
  )
}

function Hook({ hook: w, write, calls, changed }: { hook: Webhook; write: boolean; calls: boolean; changed: () => Promise<void> }) {
  const [looking, setLooking] = useState(false)
  const [said, setSaid] = useState('')
  const [turn, setTurn] = useState(0) // grows when the list is to be read anew
  const order = async (what: string) => {
    try {
      const { retried } = await ask<{ retried?: number }>(path(w.name) + what, { method: 'POST' })
      setSaid(retried === undefined ? '' : `${t('sentAgain')}: ${count(retried)}`)
    } catch (e) {
      setSaid(why(e))
    }
    setTurn((n) => n + 1)
    await changed()
  }
  const last = w.lastAnswer
  return (
    <li class={w.parked || w.state === 'failing' ? 'card bad' : 'card'} data-hook={w.name}>
      <span class="head"><span class="title"><bdi>{w.name}</bdi></span><span class="tag">{t(states[w.state] ?? 'unknown')}</span></span>
      <small><bdi>{w.url}</bdi></small>
      <small>{t('waitingEvents')}: {count(w.waiting)}{w.oldestAt && <> ({t('oldest')} {when(w.oldestAt, 'short')})</>} · {t('parked')}: {count(w.parked)}
        {last && <> · {t('lastAnswer')}: <bdi>{answered(last.status, last.answer)}</bdi>, {when(last.at, 'short')}</>}</small>
      <span class="deck small">
        {w.parked > 0 && <button aria-expanded={looking} onClick={() => setLooking(!looking)} aria-label={`${t('look')}: ${w.name}`}><Icon name={looking ? 'up' : 'down'} />{t('look')}</button>}
        {w.parked > 0 && write && <button class="primary" onClick={() => order('/retry')} aria-label={`${t('sendAll')}: ${w.name}`}>{t('sendAll')}</button>}
        {w.state === 'paused' && write && <button onClick={() => order('/resume')} aria-label={`${t('resume')}: ${w.name}`}>{t('resume')}</button>}
      </span>
      <small role="status">{said}</small>
      {looking && w.parked > 0 && <Parked hook={w.name} turn={turn} calls={calls} retry={write ? (seq) => order(`/deliveries/${seq}/retry`) : undefined} />}
    </li>
  )
}

// Parked are the parked events of a webhook, page by page, the latest first.
function Parked({ hook, turn, calls, retry }: { hook: string; turn: number; calls: boolean; retry?: (seq: number) => void }) {
  const [list, setList] = useState<Delivery[]>()
  const [next, setNext] = useState<number>()
  const [problem, setProblem] = useState('')
  const read = async (before?: number) => {
    try {
      const page = await ask<{ deliveries: Delivery[]; next?: number }>(`${path(hook)}/deliveries?state=parked&limit=20${before ? `&before=${before}` : ''}`)
      setList((had) => [...(before ? had ?? [] : []), ...page.deliveries])
      setNext(page.next)
      setProblem('')
    } catch (e) {
      setProblem(why(e))
    }
  }
  useEffect(() => { read() }, [turn])
  if (problem) return <p class="problem" role="alert">{problem}</p>
  if (!list) return <p class="loading" role="status">{t('loading')}</p>
  return (
    <>
      <ul class="parked" role="list">
        {list.map((d) => (
          <li key={d.seq} data-seq={d.seq}>
            <span><code>{d.type}</code> {d.callId && (calls ? <a class="link" href={href('calls', { call: d.callId })}><bdi>{d.callId}</bdi></a> : <bdi>{d.callId}</bdi>)} <time dateTime={d.writtenAt}>{when(d.writtenAt, 'short')}</time>
              <small>{t('attempts')}: {count(d.attempts)} · {t('lastAnswer')}: <bdi>{answered(d.status, d.answer)}</bdi></small></span>
            {retry && <button onClick={() => retry(d.seq)} aria-label={`${t('sendAgain')} ${d.seq}`}>{t('sendAgain')}</button>}
          </li>
        ))}
      </ul>
      {next && <button onClick={() => read(next)}>{t('further')}</button>}
    </>
  )
}
