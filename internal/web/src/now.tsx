// What goes on: a wallboard that fits a phone and a wall.
import { useEffect, useRef, useState } from 'preact/hooks'
import { ask, type Calls, type Member, type OpenCall, Problem } from './api'
import { clock, count, phone, t, when } from './say'
import type { Key } from './texts'
import { useLive } from './live'
import { Icon } from './icons'

// mostCards are drawn; of more, their number.
const mostCards = 200

export function NowView() {
  const [calls, setCalls] = useState<Calls>()
  const [members, setMembers] = useState<Member[]>([])
  const [live, setLive] = useState<boolean>()
  const [problem, setProblem] = useState('')
  const [, tick] = useState(0)
  const load = async () => {
    try {
      const [c, m] = await Promise.all([ask<Calls>('/v1/calls'), ask<{ members: Member[] }>('/v1/members')])
      setCalls(c)
      setMembers(m.members)
      setProblem('')
    } catch (e) {
      setProblem(e instanceof Problem && e.status ? e.message : t('unreachable'))
    }
  }
  useLive(load, 500, setLive)
  const latest = useRef(load)
  latest.current = load
  useEffect(() => {
    const clocks = setInterval(() => tick((n) => n + 1), 1000)
    const again = setInterval(() => { if (!document.hidden) latest.current() }, 10_000) // phones come and go without an event
    return () => { clearInterval(clocks); clearInterval(again) }
  }, [])
  const open = calls?.calls ?? []
  const queues = new Map<string, { waiting: OpenCall[]; talking: number }>()
  for (const c of open) {
    if (!c.queue) continue
    const q = queues.get(c.queue) ?? queues.set(c.queue, { waiting: [], talking: 0 }).get(c.queue)!
    if (c.state === 'talking' || c.state === 'held') q.talking++
    else q.waiting.push(c)
  }
  return (
    <div class="board">
      {live === false && <p class="problem banner" role="status">{t('liveOff')}</p>}
      {problem && <p class="problem banner" role="alert">{problem} <button onClick={load}>{t('retry')}</button></p>}
      {calls?.stale && <p class="problem banner" role="alert"><Icon name="warn" /> {t('stale')} {when(calls.asOf, 'short')}.</p>}
      <section aria-labelledby="going">
        <h2 id="going">{t('going')} <b class="count">{count(open.length)}</b></h2>
        {!open.length && calls && <p class="empty">{t('noneGoing')}</p>}
        <ul class="cards" role="list">{open.slice(0, mostCards).map((c) => <Card key={c.callId} call={c} />)}</ul>
        {open.length > mostCards && <p class="muted">+{count(open.length - mostCards)}</p>}
      </section>
      {queues.size > 0 && (
        <section aria-labelledby="queues">
          <h2 id="queues">{t('queues')}</h2>
          <ul class="cards" role="list">
            {[...queues].map(([name, q]) => (
              <li class={q.waiting.length ? 'card ringing' : 'card'} key={name}>
                <b class="title"><bdi>{name}</bdi></b>
                <span><b class="big">{q.waiting.length}</b> {t('inQueue')}{q.waiting.length > 0 && <> · {t('longest')} {clock(Math.max(...q.waiting.map((c) => Date.now() - Date.parse(c.startedAt))))}</>}</span>
                <small>{q.talking} {t('talkingNow')}</small>
              </li>
            ))}
          </ul>
        </section>
      )}
      <section aria-labelledby="operators">
        <h2 id="operators">{t('operators')} <b class="count">{count(members.length)}</b></h2>
        {!members.length && calls && <p class="empty">{t('noOperators')}</p>}
        <ul class="people" role="list">
          {members.map((m) => <li class={'person ' + m.state} key={m.id}><i aria-hidden="true" /><b><bdi>{m.id}</bdi></b><span><bdi>{m.name}</bdi></span><small>{t(m.state as Key)}</small></li>)}
        </ul>
      </section>
    </div>
  )
}

function Card({ call: c }: { call: OpenCall }) {
  const since = c.answeredAt ?? c.startedAt
  return (
    <li class={`card ${c.state}`} data-call={c.callId}>
      <span class="head"><span class={`arrow ${c.direction}`}><Icon name={c.direction} /><span class="hide">{t(c.direction)}</span></span><b>{t(c.state as Key)}</b><time>{clock(Date.now() - Date.parse(since))}</time></span>
      <span class="title"><bdi>{phone(c.srcPhone)}</bdi> → <bdi>{phone(c.dstPhone)}</bdi></span>
      {c.callerName && <small class="name"><bdi>{c.callerName}</bdi></small>}
      <small>{[...(c.ringing?.length ? [`${t('ringing')}: ${c.ringing.map(phone).join(', ')}`] : []), ...(c.queue ? [`${t('queue')}: ${c.queue}`] : [])].join(' · ')}</small>
    </li>
  )
}
