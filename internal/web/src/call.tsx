// One call: what happened, its recording, and why each field says what it says.
import { useEffect, useRef, useState } from 'preact/hooks'
import { address, ask, type CallRecord, facts as factsOf, Problem } from './api'
import { href } from './route'
import { clock, outcome, phone, t, when, zone } from './say'
import type { Key } from './texts'
import { Ladder } from './ladder'
import { Player } from './player'
import { Icon } from './icons'

interface Props { id: string; known?: CallRecord; hear: boolean; admin: boolean; facts: boolean; newer?: () => void; older?: () => void; close: () => void }

export function CallDrawer({ id, known, hear, admin, facts, newer, older, close }: Props) {
  const dialog = useRef<HTMLDialogElement>(null)
  const [record, setRecord] = useState(known)
  const [problem, setProblem] = useState('')
  useEffect(() => { if (!dialog.current!.open) dialog.current!.showModal() }, [])
  // The list knows of corrections, and of recordings that are whole.
  useEffect(() => { if (known) setRecord(known) }, [known])
  useEffect(() => {
    if (known) return
    ask<CallRecord>('/v1/records/' + encodeURIComponent(id)).then(setRecord, (e) => setProblem(e instanceof Problem && e.status === 404 ? t('goneCall') : t('unreachable')))
  }, [id])
  // While it is open nothing behind it takes the focus.
  const shut = () => { dialog.current!.close(); close() }
  return (
    <dialog ref={dialog} class="drawer" aria-labelledby="call-title" onCancel={(e) => { e.preventDefault(); shut() }} onClick={(e) => { if (e.target === dialog.current) shut() }}>
      <article>
        <header>
          <h2 id="call-title">{record ? <Title record={record} /> : t('call')}</h2>
          <button class="plain" disabled={!newer} onClick={newer} aria-label={t('newer')} title={t('newer')}><Icon name="up" /></button>
          <button class="plain" disabled={!older} onClick={older} aria-label={t('older')} title={t('older')}><Icon name="down" /></button>
          <button class="plain" onClick={shut} aria-label={t('close')} title={t('close')}><Icon name="close" /></button>
        </header>
        {problem && <p class="problem" role="alert">{problem}</p>}
        {!record && !problem && <p class="loading" role="status">{t('loading')}</p>}
        {record && <Body record={record} hear={hear} admin={admin} facts={facts} />}
      </article>
    </dialog>
  )
}

const Title = ({ record: r }: { record: CallRecord }) => (
  <>
    <span class={`arrow ${r.direction}`}><Icon name={r.direction} /></span>
    <span><bdi>{phone(r.srcPhone)}</bdi> → <bdi>{phone(r.dstPhone)}</bdi>{r.details.callerName && <small><bdi>{r.details.callerName}</bdi></small>}</span>
  </>
)

function Body({ record: r, hear, admin, facts }: { record: CallRecord; hear: boolean; admin: boolean; facts: boolean }) {
  const d = r.details
  return (
    <>
      <p class="lead"><b class={`chip ${r.disposition}`}>{outcome(r.disposition)}</b> <time dateTime={d.startedAt} title={zone()}>{when(d.startedAt, 'short')}</time>{r.duration > 0 && <span>{clock(r.duration * 1000)}</span>}</p>
      {d.returned && <p class="note" data-returned={d.returned.callId}><Icon name={d.returned.direction} /> {t(d.returned.direction === 'in' ? 'gotThrough' : 'returned')}: <a class="link" href={href('calls', { call: d.returned.callId })}><time dateTime={d.returned.at}>{when(d.returned.at, 'short')}</time></a>, <bdi>{phone(d.returned.by)}</bdi> ({t('after')} {clock(d.returned.afterSeconds * 1000)})</p>}
      {!!d.recordings?.length && (hear ? <Player record={r} /> : <p class="muted note">{t('noRight')}</p>)}
      <section aria-labelledby="what"><h3 id="what">{t('what')}</h3><Ladder record={r} /></section>
      {d.approximate && <p class="note warn"><Icon name="warn" /> {t('approximateWhy')}: <span lang="en">{d.approximate.join('; ')}</span></p>}
      <section aria-labelledby="fields"><h3 id="fields">{t('fields')}</h3><Fields record={r} /></section>
      {admin && <Raw record={r} />}
      {facts && <Facts key={r.callId} id={r.callId} />}
    </>
  )
}

// Fields are those that have a value, each with the rule that decided it.
function Fields({ record: r }: { record: CallRecord }) {
  const d = r.details
  const why = new Map(d.why?.map((w) => [w.field, w]))
  const ext = (a: string, b?: string) => phone(a) + (b ? ', ' + b : '')
  const length = (ms?: number) => (ms ? clock(ms) : '')
  const rows: [Key, string | undefined, string?][] = [
    ['direction', t(r.direction), 'direction'], ['caller', ext(r.srcPhone, r.srcPhoneExt), 'srcPhone'], ['callee', ext(r.dstPhone, r.dstPhoneExt), 'dstPhone'],
    ['outcome', outcome(r.disposition), 'disposition'], ['length', clock(r.duration * 1000), 'duration'], ['name', d.callerName],
    ['did', d.did && phone(d.did)], ['asked', d.asked && phone(d.asked)], ['queue', d.queue], ['queueWait', length(d.queueWaitMs)], ['service', d.service],
    ['ringTime', length(d.ringMs)], ['waitTime', length(d.waitMs)], ['holdTime', length(d.holdMs)],
    ['started', when(d.startedAt, 'full')], ['ended_', when(d.endedAt, 'full')], ['hangupBy', d.hangupBy && phone(d.hangupBy)], ['cause', d.hangupCause ? String(d.hangupCause) : ''],
    ['absorbed', d.absorbed?.join(', ')], ['mergedInto', d.mergedInto], ['pbx', d.pbx], ['source', d.source?.toUpperCase()], ['call', r.callId],
  ]
  return (
    <dl class="fields">
      {rows.filter(([, value]) => value).map(([label, value, field]) => {
        const w = field ? why.get(field) : undefined
        return <div key={label}><dt>{t(label)}</dt><dd><bdi>{value}</bdi>{w && <small lang="en">{w.rule.replace(/^\w+( \d+)?: /, '')}{w.at && <> · <time dateTime={w.at}>{when(w.at, 'seconds')}</time></>}</small>}</dd></div>
      })}
    </dl>
  )
}

function Raw({ record }: { record: CallRecord }) {
  const [copied, setCopied] = useState(false)
  const text = JSON.stringify(record, null, 2)
  return (
    <details class="raw">
      <summary>{t('raw')}</summary>
      <button onClick={() => navigator.clipboard?.writeText(text).then(() => setCopied(true), () => {})}>{t(copied ? 'copied' : 'copy')}</button>
      <pre tabindex={0} aria-label={t('raw')}>{text}</pre>
    </details>
  )
}

// Facts are those from which the record was made, read when somebody looks. Of very many
// the first are shown; the file has all.
function Facts({ id }: { id: string }) {
  const [text, setText] = useState('')
  const [problem, setProblem] = useState('')
  const look = () => {
    if (!text) ask<string>(factsOf(id), { text: true }).then((v) => { setText(v); setProblem('') }, (e) => setProblem(e instanceof Problem && e.status ? e.message : t('unreachable')))
  }
  return (
    <details class="raw" onToggle={(e) => { if (e.currentTarget.open) look() }}>
      <summary>{t('rawFacts')}</summary>
      {problem && <p class="problem" role="alert">{problem}</p>}
      {text && (
        <>
          <p class="deck small"><a class="button" href={address(factsOf(id, true))} download><Icon name="download" />{t('bugReport')}</a> <a class="button" href={address(factsOf(id))} download><Icon name="download" />{t('asTheyAre')}</a></p>
          <pre tabindex={0} aria-label={t('rawFacts')}>{text.slice(0, 200_000)}</pre>
        </>
      )}
    </details>
  )
}
