// Where the page is stands behind the # of its address: it can be sent to a colleague, and
// the numbers that were searched for stay out of the logs of servers and proxies.
import { useEffect, useState } from 'preact/hooks'

export interface Route { view: string; params: URLSearchParams }

export function read(): Route {
  const [path, query = ''] = location.hash.replace(/^#\/?/, '').split('?', 2)
  return { view: path || 'calls', params: new URLSearchParams(query) }
}

export function href(view: string, params: URLSearchParams | Record<string, string> = {}): string {
  const query = new URLSearchParams(params).toString()
  return `#/${view}${query ? '?' + query : ''}`
}

export function go(view: string, params: URLSearchParams | Record<string, string>, replace = false) {
  const to = href(view, params)
  if (to === location.hash) return
  if (replace) {
    history.replaceState(null, '', to)
    dispatchEvent(new HashChangeEvent('hashchange'))
  } else location.hash = to
}

// without and having are parameters with one changed.
export function having(params: URLSearchParams, name: string, value: string): URLSearchParams {
  const out = new URLSearchParams(params)
  if (value) out.set(name, value)
  else out.delete(name)
  return out
}

export function useRoute(): Route {
  const [route, set] = useState(read)
  useEffect(() => {
    const on = () => set(read())
    addEventListener('hashchange', on)
    return () => removeEventListener('hashchange', on)
  }, [])
  return route
}
