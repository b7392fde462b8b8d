// What another CRM's programmer would write with a client made from
// docs/openapi.json; generated.mjs checks the types, client.test.mjs runs it.
import createClient from 'openapi-fetch'
import type { paths } from './openapi.cjs'

export function connect(address: string, token: string) {
  const voipd = createClient<paths>({ baseUrl: address, headers: { Authorization: 'Bearer ' + token } })
  return {
    // ids are those of all records, page by page.
    async ids(direction: 'in' | 'out' | 'internal'): Promise<string[]> {
      const all: string[] = []
      for (let cursor: string | undefined; ;) {
        const { data, error } = await voipd.GET('/v1/records', { params: { query: { direction, limit: 1, cursor } } })
        if (error) throw new Error(error.detail)
        all.push(...data.records.map((record) => record.callId))
        if (!data.next) return all
        cursor = data.next
      }
    },

    async record(callId: string) {
      const { data, error } = await voipd.GET('/v1/records/{callId}', { params: { path: { callId } } })
      if (error) throw new Error(error.detail)
      const { disposition, duration, details } = data
      return { call: data.call, told: [disposition, duration > 0, details.startedAt < (details.endedAt ?? '')] }
    },

    async link(call: { callId: string, recording?: string }): Promise<string> {
      const { data, error } = await voipd.POST('/v1/call-link', { body: { call } })
      if (error) throw new Error(error.detail)
      return data.link
    },

    async members(): Promise<string[]> {
      const { data, error } = await voipd.GET('/v1/members')
      if (error) throw new Error(error.detail)
      return data.members.map((member) => `${member.id} ${member.name ?? ''} ${member.state}`)
    },

    async calls() {
      const { data, error } = await voipd.GET('/v1/calls')
      if (error) throw new Error(error.detail)
      return data.calls
    },

    async health() {
      const { data, error } = await voipd.GET('/v1/health')
      const health = data ?? error // 503 has the same body
      return 'ami' in health ? [health.status, health.ami?.state] : []
    },

    // problems are what voipd says of four mistakes.
    async problems() {
      const answers = [
        await voipd.GET('/v1/records/{callId}', { params: { path: { callId: 'none' } } }),
        await voipd.GET('/v1/records', { params: { query: { limit: 5000 } } }),
        await voipd.GET('/v1/members', { headers: { Authorization: 'Bearer wrong' } }),
        await voipd.POST('/v1/calls', { body: { srcPhone: '900', dstPhone: '79031234567' } }),
      ]
      return answers.map(({ error, response }) => [response.status, response.headers.get('Content-Type'), error?.status, error?.type])
    },
  }
}
