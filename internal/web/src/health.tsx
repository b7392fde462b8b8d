// How voipd does, and what to do where it does not.
import { useEffect, useState } from 'preact/hooks'
import { address, ask, facts, type Health, Problem } from './api'
import { bytes, count, t, when } from './say'
import type { Key } from './texts'
import { Icon } from './icons'
import { whatToDo } from './todo'
import { Webhooks } from './webhooks'

export function HealthView({ may }: { may: (scope: string) => boolean }) {
  const [h, set] = useState<Health>()
  const [problem, setProblem] = useState('')
  const load = () => ask<Health>('/v1/health', { expect: [503] }).then((v) => { set(v); setProblem('') }, (e) => setProblem(e instanceof Problem && e.status ? e.message : t('unreachable')))
  useEffect(() => {
    load()
    const again = setInterval(() => { if (!document.hidden) load() }, 5000)
    return () => clearInterval(again)
  }, [])
  const report = may('records:read') && !may('numbers:masked')
  const link = h?.ami ?? h?.ari
  const time = (at?: string) => when(at, 'short') || t('none')
  return (
    <div class="board">
      {problem && <p class="problem banner" role="alert">{problem} <button onClick={load}>{t('retry')}</button></p>}
      {h && (
        <>
          <section class={`state ${h.status}`} aria-live="polite">
            <Icon name={h.status === 'ok' ? 'ok' : 'warn'} />
            <div><h2>{t(h.status as Key)}</h2>{h.problems?.map((p) => <p key={p} lang="en">{p}</p>)}</div>
          </section>
          <section aria-labelledby="warnings">
            <h2 id="warnings">{t('warnings')}</h2>
            {!h.warnings?.length && !link?.warnings?.length && <p class="muted">{t('noWarnings')}</p>}
            <ul class="warnings" role="list">
              {h.warnings?.map((w) => <li key={w.code + w.text}><Icon name="warn" /><span><span lang="en">{w.text}</span>{whatToDo(w.code) && <b> {whatToDo(w.code)}</b>} <code>{w.code}</code></span>
                {w.code === 'facts-quarantined' && h.quarantine && report && <a class="button" href={address(facts(h.quarantine.latest, true))} download aria-label={t('bugReport')}><Icon name="download" />{t('bugReport')}</a>}</li>)}
              {link?.warnings?.map((w) => <li key={w}><Icon name="warn" /><span lang="en">{w}</span></li>)}
            </ul>
          </section>
          <div class="cards">
            {link && <Card title={h.ari ? 'ARI' : 'AMI'} bad={link.state !== 'up'} rows={[['link', t(link.state as Key)], ['since', time(link.since)], ['version', link.version], ['lastEvent', time(h.lastEvent)], ['openCalls', count(h.openCalls)], ['failed', link.reason]]} />}
            <Card title={t('store')} bad={!h.store.ok} rows={[['lastCommit', time(h.store.lastCommit)], ['waitingFacts', `${count(h.queue.waiting)} / ${count(h.queue.bound)}`], ['refused', count(h.queue.refused)], ['failed', h.store.error],
              ['size', h.store.bytes && bytes(h.store.bytes + (h.store.logBytes ?? 0))], ['diskFree', h.store.diskBytes && `${bytes(h.store.diskFree ?? 0)} / ${bytes(h.store.diskBytes)}`]]} />
            {h.webhooks && <Card title={t('webhooks')} bad={h.webhooks.parked > 0} rows={[['waitingEvents', count(h.webhooks.waiting)], ['parked', count(h.webhooks.parked)], ['oldest', time(h.webhooks.oldest)]]} />}
            {h.quarantine && <Card title={t('quarantine')} bad rows={[['facts', count(h.quarantine.facts)], ['calls', count(h.quarantine.calls)], ['call', h.quarantine.latest]]} />}
            {h.repair && <Card title={t('repair')} bad={h.repair.openGaps > 0} rows={[['openGaps', count(h.repair.openGaps)], ['lastRead', time(h.repair.last)], ['since', h.repair.since && time(h.repair.since)]]} />}
            <Card title="voipd" rows={[['version', h.version], ['runsSince', time(h.startedAt)]]} />
          </div>
          {(may('webhooks:read') || may('webhooks:write')) && <Webhooks may={may} />}
          <p class="muted">{t('doctorDo')}</p>
        </>
      )}
      {!h && !problem && <p class="loading" role="status">{t('loading')}</p>}
    </div>
  )
}

const Card = ({ title, rows, bad }: { title: string; rows: [Key, string | number | undefined][]; bad?: boolean }) => (
  <section class={bad ? 'card bad' : 'card'}>
    <h3>{title}</h3>
    <dl>{rows.filter(([, v]) => v).map(([k, v]) => <div key={k}><dt>{t(k)}</dt><dd><bdi>{v}</bdi></dd></div>)}</dl>
  </section>
)
