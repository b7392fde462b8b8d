// The list of calls: pages of the API by their cursor, of which only the rows in sight are
// in the document, and what is new at the top as it happens.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { address, ask, type CallRecord, type Page, Problem } from './api'
import { go, having, href } from './route'
import { clock, count, outcome, phone, sameDay, t, when } from './say'
import { filtered, Filters, query } from './filters'
import { CallDrawer } from './call'
import { useLive } from './live'
import { Icon } from './icons'

const pageSize = 100
const spare = 8 // rows above and below those in sight

interface List { rows: CallRecord[]; next?: string; count?: Page['count']; fresh: Set<string> }

// merge puts the newest page over what is shown: what came is in its place, what no longer
// fits is gone, and the pages behind it stay. Without a row in common it is a new list.
export function merge(had: List, page: Page): List {
  const known = new Set(had.rows.map((r) => r.callId))
  const fresh = new Set(page.records.filter((r) => !known.has(r.callId)).map((r) => r.callId))
  const last = page.records.at(-1)
  if (!page.next || !last || fresh.size === page.records.length) return { rows: page.records, next: page.next, count: page.count, fresh: had.rows.length ? fresh : new Set() }
  const top = new Set(page.records.map((r) => r.callId))
  const behind = had.rows.filter((r) => !top.has(r.callId) && r.details.startedAt <= last.details.startedAt)
  return { rows: [...page.records, ...behind], next: behind.length ? had.next : page.next, count: page.count, fresh }
}

export function CallsView({ params, may, centre }: { params: URLSearchParams; may: (scope: string) => boolean; centre: boolean }) {
  const asked = query(params)
  const key = [...params].filter(([name]) => name !== 'call').join('&')
  const [list, setList] = useState<List>()
  const [problem, setProblem] = useState('')
  const [live, setLive] = useState<boolean>()
  const current = useRef(key)
  const loading = useRef(false)
  current.current = key

  const get = async (cursor?: string) => {
    const of = key
    const q = new URLSearchParams(asked)
    q.set('limit', String(pageSize))
    if (cursor) q.set('cursor', cursor)
    else q.set('count', 'true')
    try {
      const page = await ask<Page>('/v1/records?' + q)
      if (current.current !== of) return
      setProblem('')
      setList((had) => (cursor ? had && had.next === cursor ? { ...had, rows: [...had.rows, ...page.records], next: page.next, fresh: new Set() } : had : merge(had ?? { rows: [], fresh: new Set() }, page)))
    } catch (e) {
      if (current.current === of) setProblem(e instanceof Problem && e.status ? e.message : t('unreachable'))
    }
  }
  // Typing asks once it pauses. The first list useLive asks for.
  const first = useRef(true)
  useEffect(() => {
    if (first.current) { first.current = false; return }
    const timer = setTimeout(() => { setList(undefined); get() }, 200)
    return () => clearTimeout(timer)
  }, [key])
  useLive(() => get(), 1000, setLive, (kind) => kind.startsWith('record'))

  const further = async () => {
    if (!list?.next || loading.current) return
    loading.current = true
    await get(list.next)
    loading.current = false
  }
  const call = params.get('call')
  const at = call && list ? list.rows.findIndex((r) => r.callId === call) : -1
  const open = (id: string, replace = false) => go('calls', having(params, 'call', id), replace)
  const c = list?.count
  return (
    <>
      <div class="tools">
        <Filters params={params} centre={centre} />
        <div class="status">
          <span role="status" class="total">{c ? `${c.moreThan ? t('more10k') + ' ' : ''}${count(c.records)}` : ''}</span>
          <span class={live === false ? 'live off' : 'live'} title={t(live === false ? 'liveOff' : 'liveOn')}><i /><span>{t(live === false ? 'liveOff' : 'liveOn')}</span></span>
          <a class="button" href={address('/v1/records.csv?' + asked)} download="calls.csv" title={t('csvHint')} aria-label={t('csvHint')}><Icon name="download" /><span>{t('csv')}</span></a>
        </div>
      </div>
      {problem && <p class="problem banner" role="alert">{problem} <button onClick={() => get()}>{t('retry')}</button></p>}
      {!list && !problem && <p class="loading" role="status">{t('loading')}</p>}
      {list && !list.rows.length && <p class="empty">{t(filtered(params) ? 'nothing' : 'nothingYet')}</p>}
      {list && list.rows.length > 0 && <Rows key={key} list={list} params={params} further={further} centre={centre} />}
      {call && <CallDrawer key={call} id={call} hear={may('recordings:read')} admin={may('admin')} facts={may('admin') && !may('numbers:masked') && !centre} known={list?.rows[at]}
        newer={at > 0 ? () => open(list!.rows[at - 1].callId, true) : undefined}
        older={at >= 0 && at < (list?.rows.length ?? 0) - 1 ? () => open(list!.rows[at + 1].callId, true) : undefined}
        close={() => { open(''); document.querySelector<HTMLElement>(`[data-call="${CSS.escape(call)}"]`)?.focus() }} />}
    </>
  )
}

function Rows({ list, params, further, centre }: { list: List; params: URLSearchParams; further: () => void; centre: boolean }) {
  const box = useRef<HTMLDivElement>(null)
  const [view, setView] = useState({ top: 0, height: 800, row: 60 })
  const measure = () => {
    const e = box.current!
    setView({ top: e.scrollTop, height: e.clientHeight, row: parseFloat(getComputedStyle(e).getPropertyValue('--row')) || 60 })
  }
  useLayoutEffect(() => {
    measure()
    const seen = new ResizeObserver(measure)
    seen.observe(box.current!)
    return () => seen.disconnect()
  }, [])
  // Rows that come in above leave what is read where it is.
  const first = useRef('')
  useLayoutEffect(() => {
    const e = box.current!
    const moved = list.rows.findIndex((r) => r.callId === first.current)
    if (moved > 0 && e.scrollTop > view.row / 2) e.scrollTop += moved * view.row
    first.current = list.rows[0]?.callId ?? ''
  }, [list])
  const from = Math.max(0, Math.floor(view.top / view.row) - spare)
  const to = Math.min(list.rows.length, Math.ceil((view.top + view.height) / view.row) + spare)
  useEffect(() => { if (list.rows.length - to < pageSize / 2) further() }, [to, list])
  const keys = (e: KeyboardEvent) => {
    const row = (e.target as HTMLElement).closest<HTMLElement>('[data-index]')
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key]
    if (!row || !step) return
    const next = box.current!.querySelector<HTMLElement>(`[data-index="${Number(row.dataset.index) + step}"]`)
    if (next) { e.preventDefault(); next.focus({ preventScroll: true }); next.scrollIntoView({ block: 'nearest' }) }
  }
  return (
    <div class="rows" ref={box} onScroll={measure} onKeyDown={keys} tabindex={-1}>
      <ul role="list" aria-label={t('calls')} style={{ height: `${list.rows.length * view.row}px` }}>
        {list.rows.slice(from, to).map((r, i) => (
          <li key={r.callId} class={list.fresh.has(r.callId) ? 'fresh' : ''} style={{ transform: `translateY(${(from + i) * view.row}px)` }} aria-setsize={list.next ? -1 : list.rows.length} aria-posinset={from + i + 1}>
            <Row record={r} index={from + i} to={href('calls', having(params, 'call', r.callId))} current={params.get('call') === r.callId} centre={centre} />
          </li>
        ))}
      </ul>
    </div>
  )
}

function Row({ record: r, index, to, current, centre }: { record: CallRecord; index: number; to: string; current: boolean; centre: boolean }) {
  const d = r.details
  const today = sameDay(d.startedAt, new Date())
  const recorded = d.recordings?.some((x) => x.talk && x.state !== 'gone')
  return (
    <a class={`call ${r.disposition}`} href={to} data-index={index} data-call={r.callId} aria-current={current || undefined}>
      <span class={`arrow ${r.direction}`} title={t(r.direction)}><Icon name={r.direction} /><span class="hide">{t(r.direction)}</span></span>
      <time dateTime={d.startedAt} title={when(d.startedAt, 'full')}><b>{when(d.startedAt, 'time')}</b><small>{today ? t('today') : when(d.startedAt, 'day')}</small></time>
      <span class="parties">
        <span class="numbers"><bdi>{phone(r.srcPhone)}</bdi><i aria-hidden="true">→</i><span class="hide">, </span><bdi>{phone(r.dstPhone)}</bdi></span>
        {d.callerName && <small class="name"><bdi>{d.callerName}</bdi></small>}
      </span>
      <span class="queue">{centre && d.pbx && <span class="tag" title={t('pbx')}><bdi>{d.pbx}</bdi></span>}{d.queue && <span class="tag" title={t('queue')}><bdi>{d.queue}</bdi></span>}{d.transfers && <span class="tag">{t('transferred')}</span>}{d.approximate && <span class="tag" title={t('approximate')}>≈</span>}</span>
      <span class="rec">{recorded && <span title={t('recorded')}><Icon name="rec" /><span class="hide">{t('recorded')}</span></span>}</span>
      <span class="outcome"><b>{outcome(r.disposition)}</b><small>{r.duration > 0 ? clock(r.duration * 1000) : ''}</small></span>
    </a>
  )
}
