// The live stream. It is closed while nobody sees the page (a browser keeps six connections
// a host over HTTP/1.1, for all its tabs), and goes on behind the last event after that.
import { useEffect, useRef } from 'preact/hooks'
import { address, ask } from './api'

const kinds = ['call.started', 'call.stopped_ringing', 'call.answered', 'call.transferred', 'call.held', 'call.resumed', 'call.merged', 'call.ended',
  'record.created', 'record.corrected', 'recording.ready', 'missed.opened', 'missed.returned', 'missed.dismissed']

// follow calls changed for each event that happens, and with no kind when events may have
// been missed; state tells whether the stream stands.
export function follow(changed: (kind?: string) => void, state: (up: boolean) => void): () => void {
  let source: EventSource | undefined
  let retry = 0
  let stopped = false
  const open = () => {
    clearTimeout(retry)
    source?.close()
    if (stopped || document.hidden) return
    source = new EventSource(address('/v1/events'))
    source.onopen = () => { state(true); changed() } // what happened before is read, not told
    for (const kind of kinds) source.addEventListener(kind, () => changed(kind))
    source.onerror = () => {
      state(false)
      if (source?.readyState !== EventSource.CLOSED) return // the browser tries again
      ask('/v1/session').catch(() => {}) // a session that has ended leads to the sign-in
      retry = window.setTimeout(open, 3000)
    }
  }
  const seen = () => (document.hidden ? source?.close() : open())
  document.addEventListener('visibilitychange', seen)
  open()
  return () => {
    stopped = true
    clearTimeout(retry)
    document.removeEventListener('visibilitychange', seen)
    source?.close()
  }
}

// useLive calls load at once, and after events that want it, at most once in `every` milliseconds.
export function useLive(load: () => Promise<void>, every: number, state: (up: boolean) => void, wants: (kind: string) => boolean = () => true) {
  const latest = useRef(load)
  latest.current = load
  useEffect(() => {
    let timer = 0, last = 0, running = false, again = false
    const run = async () => {
      timer = 0
      if (running) { again = true; return }
      running = true
      last = Date.now()
      await latest.current()
      running = false
      if (again) { again = false; soon() }
    }
    const soon = () => { timer ||= window.setTimeout(run, Math.max(0, last + every - Date.now())) }
    soon() // also where no stream can be had
    const stop = follow((kind) => { if (!kind || wants(kind)) soon() }, state)
    return () => { stop(); clearTimeout(timer) }
  }, [])
}
