// The player: the browser's own audio on a signed link, which is taken when it is first
// played, and anew where it has expired.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { ask, type CallRecord, link, Problem, type Recording } from './api'
import { clock, phone, t } from './say'
import { Icon } from './icons'

const speeds = [0.75, 1, 1.25, 1.5, 1.75, 2]

export function Player({ record }: { record: CallRecord }) {
  const all = record.details.recordings ?? []
  const [id, setId] = useState(record.call.recording ?? all[0].id)
  const rec = all.find((r) => r.id === id) ?? all[0]
  return (
    <section class="player" aria-label={t('rec')}>
      {all.length > 1 && (
        <select aria-label={t('rec')} value={rec.id} onChange={(e) => setId(e.currentTarget.value)}>
          {all.map((r, i) => <option key={r.id} value={r.id}>{`${i + 1}. ${r.path.replace(/^.*\//, '')}`}</option>)}
        </select>
      )}
      {rec.state === 'ready' ? <Deck key={rec.id} record={record} rec={rec} /> : <p class="muted">{t(rec.state === 'gone' ? 'goneRec' : rec.state === 'empty' ? 'emptyRec' : 'notReady')}</p>}
    </section>
  )
}

function Deck({ record, rec }: { record: CallRecord; rec: Recording }) {
  const audio = useRef<HTMLAudioElement>(null)
  const [src, setSrc] = useState('')
  const [at, setAt] = useState(0)
  const [playing, setPlaying] = useState(false)
  const [speed, setSpeed] = useState(1)
  const [length, setLength] = useState((rec.ms ?? 0) / 1000)
  const [problem, setProblem] = useState('')
  const [peaks, setPeaks] = useState<number[]>([])
  const anew = useRef(0) // when the link was last taken

  const take = async (to: number, play: boolean) => {
    const e = audio.current!
    try {
      const fresh = await link({ callId: record.callId, recording: rec.id })
      anew.current = Date.now()
      setSrc(fresh)
      e.src = fresh
      e.playbackRate = speed
      e.currentTime = to
      setProblem('')
      if (play) await e.play()
    } catch (e) {
      if ((e as Error).name !== 'AbortError') setProblem(e instanceof Problem && e.message ? e.message : t('playFailed'))
    }
  }
  useEffect(() => { take(0, false) }, [])
  // Where there are no peaks, as of what nothing decodes, the player does without.
  useEffect(() => { if (src && !peaks.length) ask<{ peaks: number[] }>(src.replace('?', '/peaks?')).then((p) => setPeaks(p.peaks), () => {}) }, [src])
  // A link that expired is taken anew, once; what fails then cannot be played.
  const failed = () => {
    if (!audio.current?.getAttribute('src')) return
    if (Date.now() - anew.current > 10_000) take(audio.current.currentTime, playing)
    else { setPlaying(false); setProblem(t('playFailed')) }
  }
  const toggle = () => {
    const e = audio.current!
    if (!e.paused) return e.pause()
    if (e.error || !e.getAttribute('src')) take(at, true)
    else e.play().catch(() => {})
  }
  const seek = (to: number) => { const e = audio.current!; e.currentTime = Math.min(Math.max(0, to), e.duration || length); setAt(e.currentTime) }
  // Keys as players of videos have them; a control that has the focus keeps its own.
  useEffect(() => {
    const on = (e: KeyboardEvent) => {
      const target = e.target as HTMLElement
      if (e.ctrlKey || e.metaKey || e.altKey || target.matches('input, select, textarea')) return
      if (e.key === 'k' || (e.key === ' ' && !target.matches('button, summary, a'))) { e.preventDefault(); toggle() }
      else if (e.key === 'j') seek(audio.current!.currentTime - 10)
      else if (e.key === 'l') seek(audio.current!.currentTime + 10)
    }
    addEventListener('keydown', on)
    return () => removeEventListener('keydown', on)
  })
  const zero = Date.parse(rec.at)
  const jumps = (record.details.conversations ?? []).map((c) => ({ c, to: (Date.parse(c.at) - zero) / 1000 })).filter((j) => j.to >= -1 && j.to < length).slice(0, 30)
  return (
    <>
      <audio ref={audio} preload="metadata" onTimeUpdate={(e) => setAt(e.currentTarget.currentTime)} onPlay={() => setPlaying(true)} onPause={() => setPlaying(false)} onEnded={() => setPlaying(false)}
        onDurationChange={(e) => { const s = e.currentTarget.duration; if (isFinite(s) && s > 0) setLength(s) }} onError={failed} />
      <div class="deck">
        <button class="primary round" onClick={toggle} aria-label={t(playing ? 'pause' : 'play')} aria-keyshortcuts="k"><Icon name={playing ? 'pause' : 'play'} fill={!playing} /></button>
        <div class="position">
          {peaks.length > 0 && <Wave peaks={peaks} played={length ? at / length : 0} seek={(part) => seek(part * length)} />}
          <input type="range" min={0} max={length || 1} step={0.1} value={at} aria-label={t('seek')} aria-valuetext={`${clock(at * 1000)} / ${clock(length * 1000)}`} onInput={(e) => seek(Number(e.currentTarget.value))} />
          <span class="times"><span>{clock(at * 1000)}</span><span>{clock(length * 1000)}</span></span>
        </div>
      </div>
      <div class="deck small">
        <button onClick={() => seek(audio.current!.currentTime - 10)} aria-label={t('minus')} title={t('minus')} aria-keyshortcuts="j"><Icon name="back" />10</button>
        <button onClick={() => seek(audio.current!.currentTime + 10)} aria-label={t('plus')} title={t('plus')} aria-keyshortcuts="l"><Icon name="ahead" />10</button>
        <select aria-label={t('speed')} value={speed} onChange={(e) => { const v = Number(e.currentTarget.value); setSpeed(v); audio.current!.playbackRate = v }}>
          {speeds.map((s) => <option key={s} value={s}>{s}×</option>)}
        </select>
        {src && <a class="button" href={src + '&download=1'} download aria-label={t('download')} title={t('download')}><Icon name="download" /></a>}
      </div>
      {jumps.length > 0 && (
        <div class="jumps" role="group" aria-label={t('jump')}>
          {jumps.map(({ c, to }, i) => <button key={i} onClick={() => { seek(to); if (audio.current!.paused) toggle() }}><time>{clock(to * 1000)}</time> <bdi>{phone(c.a)}</bdi> ↔ <bdi>{phone(c.b)}</bdi></button>)}
        </div>
      )}
      {problem && <p class="problem" role="alert">{problem}</p>}
    </>
  )
}

// Wave is the outline of the sound; what was played has the accent's colour. The slider
// below it is for keys and screen readers.
function Wave({ peaks, played, seek }: { peaks: number[]; played: number; seek: (part: number) => void }) {
  const loudest = Math.max(1, ...peaks)
  const d = useMemo(() => peaks.map((p, i) => { const h = Math.max(.4, 20 * Math.sqrt(p / loudest)); return `M${i} ${20 - h}V${20 + h}` }).join(''), [peaks])
  return (
    <svg class="wave" viewBox={`-.5 0 ${peaks.length} 40`} preserveAspectRatio="none" aria-hidden="true"
      onClick={(e) => { const box = e.currentTarget.getBoundingClientRect(); seek((e.clientX - box.left) / box.width) }}>
      <path d={d} />
      <path d={d} class="played" style={{ clipPath: `inset(0 ${100 - 100 * Math.min(1, played)}% 0 0)` }} />
    </svg>
  )
}
