// What the page needs of voipd's API (docs/openapi.json), and how it asks for it.

export type Direction = 'in' | 'out' | 'internal'
export type Disposition = 'answered' | 'no_answer' | 'cancelled' | 'busy' | 'failed' | 'unknown'

export interface Rang { phone: string; at: string; ms: number; outcome: string; cause?: number }
export interface Conversation { a: string; b: string; at: string; ms: number }
export interface Transfer { kind: string; by?: string; to?: string; at: string }
export interface Recording { id: string; path: string; at: string; state: string; bytes?: number; ms?: number; talk?: boolean; found?: boolean }
export interface Reason { field: string; rule: string; at?: string }

export interface Details {
  startedAt: string; answeredAt?: string; endedAt?: string
  ringMs: number; waitMs: number; holdMs: number; talkMs: number
  did?: string; callerName?: string; asked?: string; beganBy: string
  rang?: Rang[]; rangOmitted?: number; conversations?: Conversation[]; transfers?: Transfer[]
  queue?: string; queueWaitMs?: number; service?: string; voicemail?: boolean
  hangupCause?: number; hangupBy?: string; recordings?: Recording[]
  mergedInto?: string; absorbed?: string[]; approximate?: string[]; why?: Reason[]; pbx?: string; source?: string
  returned?: { at: string; by: string; callId: string; direction: Direction; afterSeconds: number }
}

export interface CallRecord {
  call: { callId: string; recording?: string }
  callId: string; direction: Direction; disposition: Disposition
  srcPhone: string; srcPhoneExt?: string; dstPhone: string; dstPhoneExt?: string
  duration: number; details: Details
}

export interface Page { records: CallRecord[]; next?: string; count?: { records: number; moreThan: boolean } }

export interface OpenCall {
  callId: string; direction: Direction; state: string; srcPhone: string; dstPhone: string
  startedAt: string; answeredAt?: string; ringing?: string[]; talking?: string[]; heldBy?: string; queue?: string; callerName?: string
}
export interface Calls { calls: OpenCall[]; after: number; asOf?: string; stale?: boolean }
export interface Member { id: string; name?: string; state: string }
export interface Missed {
  number: string; name?: string; calls: number; firstAt: string; lastAt: string; lastCallId: string; did?: string; queue?: string; rang?: string[]; tries?: number
}
export interface MissedPage { missed: Missed[]; next?: string; count?: number }
export interface Tally { calls: number; answered: number; in: number; inAnswered: number; out: number; outAnswered: number; talkSeconds: number }
export interface Total extends Tally { answeredShare?: number; answerMedianMs: number; answerP90Ms: number }
export interface Figures {
  total: Total; before: Total; hours: (Tally & { hour: number })[]; days: (Tally & { day: string })[]
  operators: (Tally & { name: string })[]; queues: (Tally & { name: string })[]; dids: (Tally & { name: string })[]
  longestWaits: { callId: string; srcPhone: string; startedAt: string; waitMs: number }[]
}
// A session with a tenant is one of a centre, which has records of many PBXs and nothing that goes on.
export interface Session { name: string; scopes: string[]; tenant?: string }

export interface LinkHealth { state: string; since: string; reason?: string; nextTry?: string; version?: string; warnings?: string[] }
export interface Health {
  status: string; problems?: string[]; version: string; startedAt: string; ami?: LinkHealth; ari?: LinkHealth; lastEvent?: string; openCalls: number
  queue: { waiting: number; bound: number; refused: number }
  store: { ok: boolean; error?: string; lastCommit?: string; bytes?: number; logBytes?: number; diskFree?: number; diskBytes?: number }
  quarantine?: { facts: number; calls: number; latest: string }
  webhooks?: { waiting: number; parked: number; oldest?: string }
  repair?: { last?: string; openGaps: number; since?: string }
  warnings?: { code: string; text: string }[]
}

export interface Webhook {
  name: string; url: string; state: string; waiting: number; parked: number; oldestAt?: string; lastAnswer?: { at: string; status: number; answer?: string }
}
export interface Delivery { seq: number; type: string; callId?: string; attempts: number; status: number; answer?: string; writtenAt: string }

// Problem is what voipd refused (RFC 9457), or that it cannot be reached (status 0).
export class Problem extends Error {
  constructor(readonly status: number, readonly kind: string, detail: string) {
    super(detail)
  }
}

// address is a path of the API, behind whatever prefix the page itself stands.
export const address = (path: string) => new URL(path.replace(/^\//, ''), document.baseURI.replace(/[?#].*$/, '')).href

let signedOut = () => {}
// onSignedOut is called when the session has ended: the token was revoked, or time ran out.
export const onSignedOut = (f: () => void) => { signedOut = f }

export async function ask<T>(path: string, init: RequestInit & { expect?: number[]; text?: boolean } = {}): Promise<T> {
  let answer: Response
  try {
    answer = await fetch(address(path), { ...init, credentials: 'same-origin', headers: { 'Content-Type': 'application/json', ...init.headers } })
  } catch (e) {
    if (init.signal?.aborted) throw e
    throw new Problem(0, 'unreachable', '')
  }
  if (init.text && answer.ok) return await answer.text() as T
  const body = answer.status === 204 ? undefined : await answer.json().catch(() => undefined)
  if (answer.ok || init.expect?.includes(answer.status)) return body as T
  if (answer.status === 401 && !('Authorization' in (init.headers ?? {}))) signedOut()
  throw new Problem(answer.status, String(body?.type ?? '').replace('urn:voipd:problem:', ''), body?.detail ?? '')
}

// facts is the address of those from which a call's record was made.
export const facts = (id: string, disguised = false) => `/v1/records/${encodeURIComponent(id)}/facts${disguised ? '?disguised=true' : ''}`

// link is the address of a recording's audio: of this origin, whatever name the API gave it.
export async function link(call: { callId: string; recording?: string }): Promise<string> {
  const { link } = await ask<{ link: string }>('/v1/call-link', { method: 'POST', body: JSON.stringify({ call }) })
  return address(link.slice(link.indexOf('/v1/')))
}
