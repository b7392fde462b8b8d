// Whom to call back: who called, whom nobody answered and nobody has talked with since.
import { useEffect, useRef, useState } from 'preact/hooks'
import { ask, type Member, type Missed, type MissedPage, Problem } from './api'
import { go, having, href } from './route'
import { count, phone, t, when } from './say'
import { useLive } from './live'
import { Icon } from './icons'

const most = 200 // lines are drawn; the number says how many there are

// own is the extension at which whoever looks sits.
const own = {
  get: () => { try { return localStorage.getItem('voipd.extension') ?? '' } catch { return '' } },
  set: (extension: string) => { try { localStorage.setItem('voipd.extension', extension) } catch { /* it is asked for again */ } },
}

const why = (e: unknown) => (e instanceof Problem && e.status ? e.message : t('unreachable'))

export function MissedView({ params, may }: { params: URLSearchParams; may: (scope: string) => boolean }) {
  const [page, setPage] = useState<MissedPage>()
  const [problem, setProblem] = useState('')
  const [live, setLive] = useState<boolean>()
  const [members, setMembers] = useState<Member[]>([])
  const [me, setMe] = useState(own.get())
  const days = params.get('days') ?? ''
  const calling = may('calls:write') && !may('numbers:masked')
  const load = async () => {
    try {
      setPage(await ask<MissedPage>(`/v1/missed?count=true&limit=${most}` + (/^\d{1,3}$/.test(days) ? `&from=-${days}d` : '')))
      setProblem('')
    } catch (e) {
      setProblem(why(e))
    }
  }
  useLive(load, 1000, setLive, (kind) => kind.startsWith('missed') || kind.startsWith('record'))
  const first = useRef(true)
  useEffect(() => { if (first.current) first.current = false; else load() }, [days])
  useEffect(() => { if (calling) ask<{ members: Member[] }>('/v1/members').then((m) => setMembers(m.members), () => {}) }, [])
  const lines = page?.missed ?? []
  return (
    <div class="board">
      <div class="over">
        <h2 id="missed">{t('missed')} <b class="count" role="status">{page ? count(page.count ?? lines.length) : ''}</b></h2>
        <label><span>{t('when')}</span>
          <select name="days" value={days} onChange={(e) => go('missed', having(params, 'days', e.currentTarget.value), true)}>
            <option value="1">{t('day1')}</option><option value="">{t('days7')}</option><option value="30">{t('days30')}</option>
          </select></label>
        {calling && members.length > 0 && (
          <label><span>{t('myExtension')}</span>
            <select name="own" value={me} onChange={(e) => { setMe(e.currentTarget.value); own.set(e.currentTarget.value) }}>
              <option value="">—</option>{members.map((m) => <option key={m.id} value={m.id}>{m.id} {m.name}</option>)}
            </select></label>
        )}
        <span class={live === false ? 'live off' : 'live'}><i /><span>{t(live === false ? 'liveOff' : 'liveOn')}</span></span>
      </div>
      {problem && <p class="problem banner" role="alert">{problem} <button onClick={load}>{t('retry')}</button></p>}
      {page && !lines.length && <p class="empty">{t('noneMissed')}</p>}
      <ul class="cards" role="list" aria-labelledby="missed">
        {lines.map((m) => <Line key={m.lastCallId} line={m} me={calling ? me : undefined} dismiss={may('missed:write')} changed={load} />)}
      </ul>
    </div>
  )
}

// Line is one person. me is at which extension to call back; undefined: nobody may.
function Line({ line: m, me, dismiss, changed }: { line: Missed; me?: string; dismiss: boolean; changed: () => Promise<void> }) {
  const [asking, setAsking] = useState(false)
  const [said, setSaid] = useState('')
  const [busy, setBusy] = useState(false)
  const attempt = async (f: () => Promise<unknown>, done: string) => {
    setBusy(true)
    try {
      await f()
      setSaid(done)
    } catch (e) {
      setSaid(why(e))
    }
    setBusy(false)
  }
  const off = (e: Event) => {
    e.preventDefault()
    const note = new FormData(e.currentTarget as HTMLFormElement).get('note')?.toString().trim() ?? ''
    attempt(async () => {
      await ask(`/v1/missed/${encodeURIComponent(m.lastCallId)}/dismiss`, { method: 'POST', body: JSON.stringify({ note }) })
      await changed()
    }, '')
  }
  const back = () => attempt(() => ask('/v1/calls', { method: 'POST', body: JSON.stringify({ srcPhone: me, dstPhone: m.number }) }), t('ordered'))
  const who = phone(m.number)
  return (
    <li class="card ringing" data-missed={m.lastCallId}>
      <span class="head"><a class="title" href={href('calls', { call: m.lastCallId })}><bdi>{who}</bdi></a>
        {m.calls > 1 && <b class="count" title={t('inARow')}>×{count(m.calls)}<span class="hide"> {t('inARow')}</span></b>}</span>
      {m.name && <small class="name"><bdi>{m.name}</bdi></small>}
      <small><time dateTime={m.lastAt} title={when(m.lastAt, 'full')}>{when(m.lastAt, 'short')}</time>{m.calls > 1 && <> · {t('firstMissed')} {when(m.firstAt, 'short')}</>}</small>
      <small><bdi>{[m.queue && `${t('queue')}: ${m.queue}`, m.did && `${t('did')}: ${phone(m.did)}`, m.rang?.length && `${t('rangWere')}: ${m.rang.slice(0, 8).map(phone).join(', ')}${m.rang.length > 8 ? '…' : ''}`, m.tries && `${t('tries')}: ${count(m.tries)}`].filter(Boolean).join(' · ')}</bdi></small>
      <span class="deck small">
        {me !== undefined && <button class="primary" disabled={busy || !me} title={me ? '' : t('myExtensionFirst')} onClick={back} aria-label={`${t('callBack')} ${who}`}><Icon name="out" />{t('callBack')}</button>}
        {dismiss && !asking && <button onClick={() => setAsking(true)} aria-label={`${t('dismiss')} ${who}`}>{t('dismiss')}</button>}
      </span>
      {asking && (
        <form class="deck small" onSubmit={off} onKeyDown={(e) => { if (e.key === 'Escape') setAsking(false) }}>
          <input name="note" maxLength={500} placeholder={t('note')} aria-label={t('note')} ref={(e) => { e?.focus() }} />
          <button class="primary" disabled={busy}>{t('dismiss')}</button>
        </form>
      )}
      <small role="status">{said}</small>
    </li>
  )
}
