// What of the calls is shown. It stands in the page's address under the API's own names,
// but for times, which are the viewer's: when=today, or from and to in his zone.
import { useEffect, useState } from 'preact/hooks'
import { go, having } from './route'
import { t } from './say'
import type { Key } from './texts'
import { Icon } from './icons'

const passed = ['direction', 'disposition', 'operator', 'did', 'queue', 'recorded', 'minDuration', 'transferred', 'approximate', 'number', 'name', 'pbx']
const all = [...passed, 'when', 'from', 'to']

// query is what the API is asked for.
export function query(params: URLSearchParams): URLSearchParams {
  const out = new URLSearchParams()
  for (const name of passed) if (params.get(name)) out.set(name, params.get(name)!)
  const day = (back: number) => { const d = new Date(); d.setHours(0, 0, 0, 0); d.setDate(d.getDate() - back); return d.toISOString() }
  switch (params.get('when')) {
    case 'today': out.set('from', day(0)); break
    case 'yesterday': out.set('from', day(1)); out.set('to', day(0)); break
    case 'days7': out.set('from', day(6)); break
    case 'days30': out.set('from', day(29)); break
    case 'range':
      for (const end of ['from', 'to']) {
        const at = new Date(params.get(end) ?? '')
        if (!isNaN(at.getTime())) out.set(end, at.toISOString())
      }
  }
  return out
}

export const filtered = (params: URLSearchParams) => all.filter((name) => params.get(name)).length

// part tells a number from a name: what has three digits and no letter is a number.
export function part(text: string): ['number' | 'name', string] {
  return /\p{L}/u.test(text) || text.replace(/\D/g, '').length < 3 ? ['name', text] : ['number', text]
}

const Choice = ({ name, label, of, params, set }: { name: string; label: Key; of: [string, string][]; params: URLSearchParams; set: (name: string, value: string) => void }) => (
  <label><span>{t(label)}</span>
    <select name={name} value={params.get(name) ?? ''} onChange={(e) => set(name, e.currentTarget.value)}>
      <option value="">{t('any')}</option>
      {of.map(([value, text]) => <option key={value} value={value}>{text}</option>)}
    </select>
  </label>
)

// useTyped is what stands in a field while it is typed: a list that is read anew meanwhile
// does not take it back.
function useTyped(value: string): [string, (text: string) => void] {
  const [typed, set] = useState(value)
  useEffect(() => { if (typed.trim() !== value) set(value) }, [value])
  return [typed, set]
}

function Field({ name, label, type = 'text', value, set }: { name: string; label: Key; type?: 'text' | 'number' | 'datetime-local'; value: string; set: (name: string, value: string) => void }) {
  const [typed, setTyped] = useTyped(value)
  return (
    <label><span>{t(label)}</span><input name={name} type={type as 'text'} min={type === 'number' ? 0 : undefined} maxLength={128} value={typed}
      onInput={(e) => setTyped(e.currentTarget.value)} onChange={(e) => set(name, e.currentTarget.value)} /></label>
  )
}

export function Filters({ params, centre }: { params: URLSearchParams; centre: boolean }) {
  const [open, setOpen] = useState(() => filtered(params) > 0 && innerWidth > 900)
  const set = (name: string, value: string) => go('calls', having(params, name, value.trim()), true)
  const [typed, setTyped] = useTyped(params.get('number') ?? params.get('name') ?? '')
  const find = (text: string) => {
    setTyped(text)
    const next = having(having(params, 'number', ''), 'name', '')
    const [name, value] = part(text.trim())
    if (value) next.set(name, value)
    if ([...value].length !== 1 && (name === 'number' || !/^\d{1,2}$/.test(value))) go('calls', next, true)
  }
  const yesNo: [string, string][] = [['true', t('yes')], ['false', t('no')]]
  const named = (keys: Key[], value = (k: Key) => k as string): [string, string][] => keys.map((k) => [value(k), t(k)])
  const text = (name: string, label: Key, type?: 'number' | 'datetime-local') => <Field key={name} name={name} label={label} type={type} value={params.get(name) ?? ''} set={set} />
  const n = filtered(params)
  return (
    <search class="filters">
      <div class="row">
        <label class="find"><Icon name="search" /><input type="search" aria-label={t('search')} placeholder={t('search')} maxLength={64} value={typed}
          onInput={(e) => find(e.currentTarget.value)} /></label>
        <button aria-expanded={open} aria-controls="filters" onClick={() => setOpen(!open)}><Icon name="filter" /><span>{t('filters')}</span>{n > 0 && <b class="count">{n}</b>}</button>
      </div>
      <form id="filters" hidden={!open} onSubmit={(e) => e.preventDefault()}>
        <Choice name="when" label="when" params={params} set={set} of={[...named(['today', 'yesterday', 'days7', 'days30']), ['range', t('range')]]} />
        {params.get('when') === 'range' && [text('from', 'from', 'datetime-local'), text('to', 'to', 'datetime-local')]}
        <Choice name="direction" label="direction" params={params} set={set} of={named(['in', 'out', 'internal'])} />
        <Choice name="disposition" label="outcome" params={params} set={set} of={named(['answered', 'no_answer', 'cancelled', 'busy', 'failedCall', 'unknown'], (k) => (k === 'failedCall' ? 'failed' : k))} />
        {centre && text('pbx', 'pbx')}{text('operator', 'operator')}{text('queue', 'queue')}{text('did', 'did')}{text('minDuration', 'longer', 'number')}
        <Choice name="recorded" label="recorded" params={params} set={set} of={yesNo} />
        <Choice name="transferred" label="transferred" params={params} set={set} of={yesNo} />
        <Choice name="approximate" label="approximate" params={params} set={set} of={yesNo} />
        <button type="button" disabled={!n} onClick={() => go('calls', params.get('call') ? { call: params.get('call')! } : {}, true)}>{t('reset')}</button>
      </form>
    </search>
  )
}
