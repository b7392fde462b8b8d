// Figures of a time beside as long a time before. Each chart has its table, which is what a
// screen reader reads; it is shown to all who ask for it.
import { useEffect, useRef, useState } from 'preact/hooks'
import { address, ask, type Figures, Problem, type Tally } from './api'
import { go, having, href } from './route'
import { clock, count, phone, share, t, when, zone } from './say'
import type { Key } from './texts'
import { Icon } from './icons'

// span is the time that is looked at, in whole days of the viewer's zone.
function span(params: URLSearchParams): URLSearchParams {
  const days = { today: 1, days7: 7, days30: 30, days365: 365 }[params.get('when') ?? ''] ?? 7
  const from = new Date()
  from.setHours(0, 0, 0, 0)
  from.setDate(from.getDate() - days + 1)
  const to = new Date(from)
  to.setDate(to.getDate() + days) // midnight: the time before is of whole days, too
  return new URLSearchParams({ from: from.toISOString(), to: to.toISOString(), zone: zone() })
}

export function FiguresView({ params }: { params: URLSearchParams }) {
  const [f, set] = useState<Figures>()
  const [problem, setProblem] = useState('')
  const asked = span(params)
  if (params.get('direction')) asked.set('direction', params.get('direction')!)
  const query = asked.toString()
  const latest = useRef(query)
  latest.current = query
  const load = () => ask<Figures>('/v1/stats?' + query).then(
    (v) => { if (latest.current === query) { set(v); setProblem('') } },
    (e) => { if (latest.current === query) setProblem(e instanceof Problem && e.status ? e.message : t('unreachable')) })
  useEffect(() => {
    load()
    const again = setInterval(() => { if (!document.hidden) load() }, 60_000)
    return () => clearInterval(again)
  }, [query])
  const choice = (name: string, label: Key, of: [string, Key][]) => (
    <label><span>{t(label)}</span>
      <select name={name} value={params.get(name) ?? ''} onChange={(e) => go('figures', having(params, name, e.currentTarget.value), true)}>
        {of.map(([value, key]) => <option key={value} value={value}>{t(key)}</option>)}
      </select></label>
  )
  return (
    <div class="board">
      <div class="over">
        <h2>{t('figures')}</h2>
        {choice('when', 'when', [['today', 'today'], ['', 'days7'], ['days30', 'days30'], ['days365', 'days365']])}
        {choice('direction', 'direction', [['', 'any'], ['in', 'in'], ['out', 'out'], ['internal', 'internal']])}
        <a class="button" href={address('/v1/stats.csv?' + query)} download="figures.csv" aria-label={t('figuresCsv')} title={t('figuresCsv')}><Icon name="download" /><span>{t('csv')}</span></a>
      </div>
      {problem && <p class="problem banner" role="alert">{problem} <button onClick={load}>{t('retry')}</button></p>}
      {!f && !problem && <p class="loading" role="status">{t('loading')}</p>}
      {f && <Shown f={f} />}
    </div>
  )
}

function Shown({ f }: { f: Figures }) {
  const a = f.total, b = f.before
  return (
    <>
      <ul class="cards" role="list">
        <Card label="calls" value={count(a.calls)} before={count(b.calls)} change={a.calls - b.calls} />
        <Card label="answeredIn" value={a.in ? share(a.answeredShare ?? 0) : '—'} before={b.in ? share(b.answeredShare ?? 0) : '—'} change={a.in && b.in ? (a.answeredShare ?? 0) - (b.answeredShare ?? 0) : 0} />
        <Card label="medianAnswer" value={a.inAnswered ? clock(a.answerMedianMs) : '—'} before={b.inAnswered ? clock(b.answerMedianMs) : '—'} change={0} />
        <Card label="p90Answer" value={a.inAnswered ? clock(a.answerP90Ms) : '—'} before={b.inAnswered ? clock(b.answerP90Ms) : '—'} change={0} />
      </ul>
      <Chart name="byDay" bars={f.days.map((d) => ({ name: when(d.day + 'T12:00:00', 'day'), ...d }))} />
      <Chart name="byHour" bars={f.hours.map((h) => ({ name: String(h.hour).padStart(2, '0'), ...h }))} />
      <Table name="byOperator" rows={f.operators} />
      <Table name="byQueue" rows={f.queues} />
      <Table name="byDid" rows={f.dids.map((d) => ({ ...d, name: phone(d.name) }))} />
      {f.longestWaits.length > 0 && (
        <section><h3>{t('longestWaits')}</h3><div class="scroll" tabindex={0} role="group" aria-label={t('longestWaits')}>
          <table><thead><tr><th scope="col">{t('caller')}</th><th scope="col">{t('waitTime')}</th><th scope="col">{t('when')}</th></tr></thead>
            <tbody>{f.longestWaits.map((w) => <tr key={w.callId}><th scope="row"><a class="link" href={href('calls', { call: w.callId })}><bdi>{phone(w.srcPhone)}</bdi></a></th><td>{clock(w.waitMs)}</td><td>{when(w.startedAt, 'short')}</td></tr>)}</tbody></table></div></section>
      )}
    </>
  )
}

const Card = ({ label, value, before, change }: { label: Key; value: string; before: string; change: number }) => (
  <li class="card"><small>{t(label)}</small><b class="big">{value}</b><small>{change > 0 ? '▲ ' : change < 0 ? '▼ ' : ''}{t('beforeWas')} {before}</small></li>
)

interface Named extends Tally { name: string }

// Chart draws bars of all calls, and in them of the answered ones.
function Chart({ name, bars }: { name: Key; bars: Named[] }) {
  const top = Math.max(1, ...bars.map((b) => b.calls))
  const wide = 100 / bars.length
  const label = Math.ceil(bars.length / 8)
  return (
    <section aria-labelledby={name}>
      <h3 id={name}>{t(name)}</h3>
      <figure class="chart">
        <svg viewBox="0 0 100 40" preserveAspectRatio="none" aria-hidden="true">
          {bars.map((b, i) => (
            <g key={b.name}><rect class="all" x={i * wide + wide * .1} width={wide * .8} y={40 - 40 * b.calls / top} height={40 * b.calls / top}><title>{b.name}: {b.calls}</title></rect>
              <rect class="answered" x={i * wide + wide * .1} width={wide * .8} y={40 - 40 * b.answered / top} height={40 * b.answered / top} /></g>
          ))}
        </svg>
        <div class="axis" aria-hidden="true">{bars.filter((_, i) => i % label === 0).map((b) => <span key={b.name}>{b.name}</span>)}</div>
        <p class="legend"><span><i class="all" />{t('calls')}, ≤ {count(top)}</span><span><i class="good" />{t('answeredCalls')}</span></p>
        <details class="raw"><summary>{t('asTable')}<span class="hide">: {t(name)}</span></summary><Rows name={name} rows={bars} /></details>
      </figure>
    </section>
  )
}

const Table = ({ name, rows }: { name: Key; rows: Named[] }) => (rows.length === 0 ? null : <section aria-labelledby={name}><h3 id={name}>{t(name)}</h3><Rows name={name} rows={rows} /></section>)

const Rows = ({ name, rows }: { name: Key; rows: Named[] }) => (
  <div class="scroll" tabindex={0} role="group" aria-label={t(name)}>
    <table><thead><tr><th scope="col">{t(name)}</th><th scope="col">{t('calls')}</th><th scope="col">{t('answeredCalls')}</th><th scope="col">{t('in')}</th><th scope="col">{t('out')}</th><th scope="col">{t('length')}</th></tr></thead>
      <tbody>{rows.map((r) => <tr key={r.name}><th scope="row"><bdi>{r.name}</bdi></th><td>{count(r.calls)}</td><td>{count(r.answered)}</td><td>{count(r.in)}</td><td>{count(r.out)}</td><td>{clock(r.talkSeconds * 1000)}</td></tr>)}</tbody></table>
  </div>
)
