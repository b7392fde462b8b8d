import { render } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { ask, onSignedOut, Problem, type Session } from './api'
import { go, href, useRoute } from './route'
import { lang, setLanguage, t } from './say'
import type { Key } from './texts'
import { Icon } from './icons'
import { CallsView } from './calls'
import { MissedView } from './missed'
import { NowView } from './now'
import { FiguresView } from './figures'
import { HealthView } from './health'
import './style.css'

// A page that was never signed in asks nothing: each request without a token counts as a wrong try.
const mark = {
  get: () => { try { return localStorage.getItem('voipd.signed') === 'in' } catch { return true } },
  set: (on: boolean) => { try { on ? localStorage.setItem('voipd.signed', 'in') : localStorage.removeItem('voipd.signed') } catch { /* then it asks */ } },
}

// linkCode takes the code of a one-time link out of the address, where nobody sees it again.
function linkCode(): string {
  const code = /^#\/?link=([\w.-]+)$/.exec(location.hash)?.[1] ?? ''
  if (code) history.replaceState(null, '', href('calls'))
  return code
}

async function signIn(token: string): Promise<Session> {
  const session = await ask<Session>('/v1/session', { method: 'POST', headers: { Authorization: `Bearer ${token}` } })
  mark.set(true)
  return session
}

// Where the address has a #, browsers heed no autofocus.
const focused = (field: HTMLInputElement | null) => { field?.focus() }

function SignIn({ note, done }: { note: string; done: (s: Session) => void }) {
  const [problem, setProblem] = useState(note)
  const [busy, setBusy] = useState(false)
  const submit = async (e: Event) => {
    e.preventDefault()
    const token = new FormData(e.currentTarget as HTMLFormElement).get('token')?.toString().trim() ?? ''
    setBusy(true)
    try {
      // A header takes no other characters; such a token is none.
      if (!/^[\x21-\x7e]+$/.test(token)) throw new Problem(401, 'unauthorised', '')
      done(await signIn(token))
    } catch (e) {
      setProblem(why(e, 'wrongToken'))
      setBusy(false)
    }
  }
  return (
    <main class="signin" id="content">
      <form onSubmit={submit} method="post">
        <h1><Mark /> voipd</h1>
        <label for="token">{t('token')}</label>
        <input id="token" name="token" type="password" autocomplete="current-password" required ref={focused} aria-describedby="hint problem" />
        <button class="primary" disabled={busy}>{t('signIn')}</button>
        <p id="problem" role="alert" class="problem">{problem}</p>
        <p id="hint" class="muted">{t('signInHint')}</p>
      </form>
    </main>
  )
}

function why(e: unknown, unauthorised: Key): string {
  if (!(e instanceof Problem)) return String(e)
  if (e.status === 401) return t(unauthorised)
  if (e.status === 429) return t('slowDown')
  return e.status ? e.message : t('unreachable')
}

const Mark = () => (
  <svg class="mark" viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8" /><path d="M7 18v-4M12 22V10M17 19v-6M22 24V8M26 18v-4" /></svg>
)

function Page() {
  const [session, setSession] = useState<Session | null>()
  const [note, setNote] = useState('')
  const [, setLang] = useState(lang())
  const { view, params } = useRoute()
  const out = (why: string) => { mark.set(false); setNote(why); setSession(null) }
  useEffect(() => {
    onSignedOut(() => out(t('ended')))
    const code = linkCode()
    if (code) signIn(code).then(setSession, (e) => out(why(e, 'usedLink')))
    else if (mark.get()) ask<Session>('/v1/session').then(setSession, (e) => { if (e.status !== 401) out(why(e, 'ended')) })
    else setSession(null)
  }, [])
  const may = (scope: string) => !!session?.scopes.includes(scope)
  const views: Key[] = [...(may('records:read') ? (session?.tenant ? ['calls'] : ['calls', 'missed', 'now', 'figures']) as Key[] : []), ...(may('admin') ? ['health'] as Key[] : [])]
  const shown = views.includes(view as Key) ? (view as Key) : views[0]
  useEffect(() => { document.title = session && shown ? `${t(shown)} · voipd` : 'voipd' })
  const language = (
    <button class="plain" lang={lang() === 'en' ? 'ru' : 'en'} aria-label={`${lang() === 'en' ? 'RU' : 'EN'}, ${t('language')}`} title={t('language')} onClick={() => { setLanguage(lang() === 'en' ? 'ru' : 'en'); setLang(lang()) }}>{lang() === 'en' ? 'RU' : 'EN'}</button>
  )
  if (session === undefined) return <p class="loading" role="status">{t('loading')}</p>
  if (session === null) return <><header class="bar bare">{language}</header><SignIn key={note + lang()} note={note} done={(s) => { setNote(''); setSession(s) }} /></>
  const leave = async () => {
    await ask('/v1/session', { method: 'DELETE' }).catch(() => {})
    go('calls', {}, true)
    out('')
  }
  return (
    <>
      <a class="skip" href="#content" onClick={(e) => { e.preventDefault(); document.getElementById('content')?.focus() }}>{t('skip')}</a>
      <header class="bar">
        <a class="brand" href={href(views[0] ?? 'calls')} aria-label="voipd"><Mark /></a>
        <nav aria-label="voipd">
          {views.map((v) => <a key={v} href={href(v)} aria-current={v === shown ? 'page' : undefined}><Icon name={v} /><span>{t(v)}</span></a>)}
        </nav>
        <span class="who"><bdi>{session.name}</bdi></span>
        {language}
        <button class="plain" onClick={leave} aria-label={t('signOut')} title={t('signOut')}><Icon name="leave" /></button>
      </header>
      <main id="content" tabindex={-1} class={shown}>
        {shown === 'calls' && <CallsView params={params} may={may} centre={!!session.tenant} key={lang()} />}
        {shown === 'missed' && <MissedView params={params} may={may} key={lang()} />}
        {shown === 'now' && <NowView key={lang()} />}
        {shown === 'figures' && <FiguresView params={params} key={lang()} />}
        {shown === 'health' && <HealthView may={may} key={lang()} />}
        {!shown && <p class="empty">{t('noScope')}</p>}
      </main>
    </>
  )
}

render(<Page />, document.getElementById('page')!)
