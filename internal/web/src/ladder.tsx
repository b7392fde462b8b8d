// A call as a ladder in time: each party a line, what he does as bars, and below it the
// same as sentences.
import type { CallRecord } from './api'
import { clock, phone, t } from './say'
import type { Key } from './texts'

interface Bar { from: number; to: number; kind: string }
interface Line { name: string; bars: Bar[] }
interface Step { at: number; who: string; text: string; other?: string }

const outcomes: Record<string, Key> = { answered: 'outcomeAnswered', no_answer: 'outcomeNo', busy: 'outcomeBusy', failed: 'outcomeFailed', cancelled: 'outcomeCancelled', elsewhere: 'outcomeElsewhere' }

// most steps and lines are shown; a queue that rings for an hour has thousands.
const most = 60

export function story(r: CallRecord): { lines: Line[]; steps: Step[]; total: number } {
  const d = r.details
  const zero = Date.parse(d.startedAt)
  const at = (time: string) => Math.max(0, Date.parse(time) - zero)
  const lines = new Map<string, Bar[]>()
  const line = (name: string) => lines.get(name) ?? lines.set(name, []).get(name)!
  const steps: Step[] = [{ at: 0, who: r.srcPhone, text: t('began') }]
  line(r.srcPhone)
  for (const x of d.rang ?? []) {
    line(x.phone).push({ from: at(x.at), to: at(x.at) + x.ms, kind: 'ring ' + x.outcome })
    steps.push({ at: at(x.at), who: x.phone, text: t('rings') }, { at: at(x.at) + x.ms, who: x.phone, text: t(outcomes[x.outcome] ?? 'unknown') })
  }
  for (const x of d.transfers ?? []) {
    if (x.by) line(x.by).push({ from: at(x.at), to: at(x.at), kind: 'transfer' })
    if (x.to) line(x.to).push({ from: at(x.at), to: at(x.at), kind: 'transfer' })
    steps.push({ at: at(x.at), who: x.by ?? '', other: x.to, text: t(x.kind as Key) })
  }
  for (const c of d.conversations ?? []) {
    for (const party of [c.a, c.b]) line(party).push({ from: at(c.at), to: at(c.at) + c.ms, kind: 'talk' })
    steps.push({ at: at(c.at), who: c.a, other: c.b, text: t('talksWith') })
  }
  const end = d.endedAt ? at(d.endedAt) : 0
  const out: Line[] = [...lines].map(([name, bars]) => ({ name: phone(name), bars }))
  if (d.queue && d.queueWaitMs) {
    const to = d.answeredAt ? at(d.answeredAt) : end
    out.push({ name: d.queue, bars: [{ from: Math.max(0, to - d.queueWaitMs), to, kind: 'queue' }] })
  }
  for (const x of d.recordings ?? []) if (x.ms) out.push({ name: t('rec'), bars: [{ from: at(x.at), to: at(x.at) + x.ms, kind: 'rec' }] })
  if (d.endedAt) steps.push({ at: end, who: d.hangupBy && d.hangupBy !== 'pbx' ? d.hangupBy : '', text: t(d.hangupBy && d.hangupBy !== 'pbx' ? 'hungUp' : 'ends') })
  const order = steps.map((s, i) => ({ s, i })).sort((a, b) => a.s.at - b.s.at || a.i - b.i).map((x) => x.s)
  return { lines: out, steps: order, total: Math.max(1, end, ...out.flatMap((l) => l.bars.map((b) => b.to))) }
}

export function Ladder({ record }: { record: CallRecord }) {
  const { lines, steps, total } = story(record)
  const pct = (ms: number) => `${(100 * ms) / total}%`
  const kinds = new Set(lines.flatMap((l) => l.bars.map((b) => b.kind.split(' ')[0])))
  const left = steps.length - most + (record.details.rangOmitted ?? 0)
  return (
    <div class="ladder">
      <div class="lines" aria-hidden="true">
        {lines.slice(0, most).map((l, i) => (
          <div class="line" key={i}>
            <span class="party"><bdi>{l.name}</bdi></span>
            <span class="track">{l.bars.map((b, j) => <i key={j} class={b.kind} style={{ insetInlineStart: pct(b.from), width: pct(b.to - b.from) }} title={`${clock(b.from)} – ${clock(b.to)}`} />)}</span>
          </div>
        ))}
        <div class="line scale"><span class="party" /><span class="track"><b>0:00</b><b>{clock(total / 2)}</b><b>{clock(total)}</b></span></div>
        <p class="legend">{(['ring', 'talk', 'queue', 'rec'] as const).filter((k) => kinds.has(k)).map((k) => <span key={k}><i class={k} />{t(`legend${k[0].toUpperCase()}${k.slice(1)}` as Key)}</span>)}</p>
      </div>
      <ol class="steps">
        {steps.slice(0, most).map((s, i) => <li key={i}><time>{clock(s.at)}</time><span><b><bdi>{s.who && phone(s.who)}</bdi></b> {s.text} {s.other && <b><bdi>{phone(s.other)}</bdi></b>}</span></li>)}
        {left > 0 && <li><time /><span>+{left} {t('omitted')}</span></li>}
      </ol>
    </div>
  )
}
