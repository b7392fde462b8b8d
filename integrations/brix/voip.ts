// Telephony by voipd: the scripts of the app's module, to be taken as they are.
// README.md says how. They need nothing but what the app gives to scripts.

// ---------------------------------------------------------------- the table
// What an admin may change: how voipd's words are said in the app. Each word
// has names of members of the app's enumeration; the first that the app has is
// taken, so that names which it does not have do no harm.

const TABLE: {
    outgoing: 'operator-first' | 'client-first';
    direction: { [word: string]: string[] };
    disposition: { [word: string]: string[] };
    event: { [type: string]: string[] };
    record: { [type: string]: string };
} = {
    // Whom an outgoing call has as srcPhone: 'operator-first', as the SDK has it, or
    // 'client-first', as the help article's example has it.
    outgoing: 'operator-first',
    // VoipCallDirection. A call of a direction that the app has not is not shown.
    direction: {
        in: ['In'],
        out: ['Out'],
        internal: ['Internal'],
    },
    // VoipCallDisposition
    disposition: {
        answered: ['Answered', 'Unknown'],
        no_answer: ['NoAnswer', 'Unknown'],
        cancelled: ['Cancel', 'NoAnswer', 'Unknown'],
        busy: ['Busy', 'NoAnswer', 'Unknown'],
        failed: ['Unknown', 'NoAnswer'],
        unknown: ['Unknown', 'NoAnswer'],
    },
    // VoipWebhookEvent. An event that is not here, or for which the app has none of
    // the names, is not shown. The phones of a group stop ringing one by one: each
    // has an end of its own.
    event: {
        'call.started': ['NotifyStart'],
        'call.answered': ['NotifyAnswer'],
        'call.stopped_ringing': ['NotifyEnd'],
        'call.ended': ['NotifyEnd'],
    },
    // Which of voipd's events with a record become a record of the app: those of
    // "all" calls, of those that were "answered", "missed" (not answered), or "none".
    // All of one call have the same callId.
    record: {
        'record.created': 'all',
        'recording.ready': 'answered',
        'record.corrected': 'all',
    },
};

// ------------------------------------------------------------ the functions

/** The admin presses "Test connection": is voipd there, well, and does it take the token? */
async function VoipTestConnection(): Promise<VoipTestConnectionResult> {
    const result: any = { success: true };
    try {
        await ask('GET', '/v1/health');
        await ask('GET', '/v1/members');
    } catch (e) {
        result.success = false;
        result.failReason = e.message;
    }
    return result;
}

/** The PBX's operators. The id is the extension, as in srcPhone and dstPhone; the label is what the app shows. */
async function VoipGetMembers(): Promise<VoipMember[]> {
    const { members } = await ask('GET', '/v1/members');
    return members.map((m: any) => ({ id: m.id, label: m.name ? m.id + ' ' + m.name : m.id }));
}

/** One event of voipd, as its template "brix" writes it. */
async function VoipParseWebhookRequest(request: FetchRequest): Promise<VoipWebhookParseResult> {
    const { secret } = settings();
    const body = textOf(request.body);
    if (body === undefined) {
        return answer(400, 'The body is not text.');
    }
    if (secret && !genuine(secret, request, body)) {
        return answer(401, 'The signature is wrong or older than five minutes: is the secret of the module the one of the webhook in voipd, and the time right?');
    }
    let data: any;
    try {
        data = JSON.parse(body);
    } catch (e) {
        return answer(400, 'The body is not JSON.');
    }
    if (data && data.callRecord) {
        return parsedRecord(data.type, data.callRecord);
    }
    if (data && data.event) {
        return parsedEvent(data.type, data.event);
    }
    if (data && data.type === 'webhook.test') {
        return answer(200, 'The address and the secret are right.');
    }
    return answer(400, 'Neither an event nor a record: is template = "brix" set for this webhook in voipd?');
}

/** The widget's player wants the audio. callData is what the record's call held. */
async function VoipGetCallLink(callData: any): Promise<string> {
    const { link } = await ask('POST', '/v1/call-link', { call: callData });
    return link;
}

/** A user clicked a phone number: his phone is rung, then the number is dialled. */
async function VoipGenerateCall(srcPhone: string, dstPhone: string): Promise<void> {
    await ask('POST', '/v1/calls', { srcPhone: srcPhone, dstPhone: dstPhone });
}

/**
 * The webhook's address changed. Only the admin can tell voipd. The address holds a
 * token, so it does not go to the log: the telephony settings show it.
 */
async function VoipOnWebhookUpdated(_: string): Promise<void> {
    console.log('The webhook has a new address. Copy it from the telephony settings into url in [[webhooks]] of /etc/voipd/config.toml, and restart voipd.');
}

// ------------------------------------------------------------------ parsing

function parsedEvent(type: string, e: any): VoipWebhookParseResult {
    const names = Object.prototype.hasOwnProperty.call(TABLE.event, type) ? TABLE.event[type] : [];
    const event = member(VoipWebhookEvent, names);
    if (event === undefined) {
        return answer(200, type + ' is not told to the app' + (names.length ? ': it has none of ' + names.join(', ') : ''));
    }
    return told(e, (call) => ({ event: { ...call, event: event } }));
}

function parsedRecord(type: string, r: any): VoipWebhookParseResult {
    const of = TABLE.record[type];
    const answered = r.disposition === 'answered';
    if (!(of === 'all' || (of === 'answered' && answered) || (of === 'missed' && !answered))) {
        return answer(200, type + ' of this call is not told to the app');
    }
    return told(r, (call) => ({ callRecord: { ...call, call: r.call, duration: r.duration } }));
}

/** Gives what an event and a record have in common to make; an app without a word for it is told nothing. */
function told(c: any, make: (call: any) => VoipWebhookParseResult): VoipWebhookParseResult {
    const direction = member(VoipCallDirection, TABLE.direction[c.direction]);
    const disposition = member(VoipCallDisposition, TABLE.disposition[c.disposition] || TABLE.disposition.unknown);
    if (direction === undefined) {
        return answer(200, 'a call with the direction ' + c.direction + ' is not told to the app: it has no such direction');
    }
    if (disposition === undefined) {
        return answer(200, 'a call with the disposition ' + c.disposition + ' is not told to the app: it has no such disposition');
    }
    const call = { callId: c.callId, direction: direction, disposition: disposition,
        srcPhone: c.srcPhone, srcPhoneExt: c.srcPhoneExt, dstPhone: c.dstPhone, dstPhoneExt: c.dstPhoneExt };
    if (c.direction === 'out' && TABLE.outgoing === 'client-first') {
        return make({ ...call, srcPhone: c.dstPhone, srcPhoneExt: c.dstPhoneExt, dstPhone: c.srcPhone, dstPhoneExt: c.srcPhoneExt });
    }
    return make(call);
}

/** The first member that the app's enumeration has, or undefined. */
function member(enumeration: any, names: string[] | undefined): any {
    const name = (names || []).filter((n) => enumeration[n] !== undefined)[0];
    return name === undefined ? undefined : enumeration[name];
}

function answer(status: number, text: string): VoipWebhookParseResult {
    return { response: new HttpResponse().status(status).content(text) };
}

// ------------------------------------------------------------ talking to voipd

/** The module's settings, by the names that README.md gives them. */
function settings(): { address: string; token: string; secret: string } {
    const data = Namespace.params.data;
    return { address: (data.address || '').trim().replace(/\/+$/, ''), token: (data.token || '').trim(), secret: (data.secret || '').trim() };
}

/** Asks voipd; what goes wrong is an error with voipd's own words. */
async function ask(method: string, path: string, body?: any): Promise<any> {
    const { address, token } = settings();
    if (!address || !token) {
        throw new Error('The address of voipd and its token are not set in the settings of the module.');
    }
    let response: FetchResponse;
    try {
        response = await fetch(address + path, {
            method: method,
            headers: { 'Authorization': 'Bearer ' + token, 'Content-Type': 'application/json' },
            body: body === undefined ? undefined : JSON.stringify(body),
        });
    } catch (e) {
        throw new Error('voipd cannot be reached at ' + address + ': ' + e.message);
    }
    const text = await response.text();
    let data: any;
    try {
        data = JSON.parse(text);
    } catch (e) {
        throw new Error('What answers at ' + address + ' is not voipd (HTTP ' + response.status + ').');
    }
    if (!response.ok) {
        throw new Error((data.problems || []).join(' ') || data.detail || 'voipd answered HTTP ' + response.status + '.');
    }
    return data;
}

// ------------------------------------------------------------ the signature
// Standard Webhooks: HMAC-SHA-256 of "id.timestamp.body". The app's scripts have
// no library for it, so it stands here.

function genuine(secret: string, request: FetchRequest, body: string): boolean {
    const id = header(request, 'webhook-id'), at = header(request, 'webhook-timestamp');
    if (!(Math.abs(Date.now() / 1000 - Number(at)) < 300)) {
        return false;
    }
    const want = hmac(base64(secret.replace(/^whsec_/, '')), utf8(id + '.' + at + '.' + body));
    return header(request, 'webhook-signature').split(' ').some((s) => s.slice(0, 3) === 'v1,' && same(base64(s.slice(3)), want));
}

/** A header, whatever its case; empty if there is none. */
function header(request: FetchRequest, name: string): string {
    const all: any = request.headers || {};
    for (const key of Object.keys(all)) {
        if (key.toLowerCase() === name) {
            return String(Array.isArray(all[key]) ? all[key][0] : all[key]);
        }
    }
    return '';
}

/** Compares without telling by its time where two differ. */
function same(a: number[], b: number[]): boolean {
    let differ = a.length ^ b.length;
    b.forEach((byte, i) => { differ |= byte ^ a[i]; });
    return differ === 0;
}

/** A body as text; undefined: it is neither text nor bytes. */
function textOf(body: any): string | undefined {
    if (typeof body === 'string') {
        return body;
    }
    if (Object.prototype.toString.call(body) !== '[object ArrayBuffer]') {
        return undefined;
    }
    try {
        return decodeURIComponent(escape(Array.from(new Uint8Array(body)).map((byte) => String.fromCharCode(byte)).join('')));
    } catch (e) {
        return undefined; // no UTF-8
    }
}

function utf8(text: string): number[] {
    return unescape(encodeURIComponent(text)).split('').map((c) => c.charCodeAt(0));
}

function base64(text: string): number[] {
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
    const out: number[] = [];
    let bits = 0, n = 0;
    for (const c of text.replace(/=+$/, '').split('')) {
        bits = (bits << 6 | letters.indexOf(c)) & 0xffff;
        n += 6;
        if (n >= 8) {
            n -= 8;
            out.push(bits >> n & 0xff);
        }
    }
    return out;
}

function hmac(key: number[], message: number[]): number[] {
    const padded = key.length > 64 ? sha256(key) : key.slice();
    while (padded.length < 64) {
        padded.push(0);
    }
    return sha256(padded.map((b) => b ^ 0x5c).concat(sha256(padded.map((b) => b ^ 0x36).concat(message))));
}

/** SHA-256 (FIPS 180-4) of bytes. */
function sha256(message: number[]): number[] {
    // Its constants are the fractions of the roots of the first primes.
    const k: number[] = [], h: number[] = [];
    for (let n = 2; k.length < 64; n++) {
        if (k.length === 0 || Array.from({ length: n - 2 }, (_, i) => i + 2).every((f) => n % f !== 0)) {
            if (h.length < 8) {
                h.push(Math.sqrt(n) % 1 * 0x100000000 | 0);
            }
            k.push(Math.cbrt(n) % 1 * 0x100000000 | 0);
        }
    }
    const bytes = message.concat([0x80]);
    while (bytes.length % 64 !== 56) {
        bytes.push(0);
    }
    const bits = message.length * 8;
    for (let shift = 56; shift >= 0; shift -= 8) {
        bytes.push(Math.floor(bits / Math.pow(2, shift)) & 0xff);
    }
    for (let at = 0; at < bytes.length; at += 64) {
        block(h, k, bytes, at);
    }
    const out: number[] = [];
    h.forEach((word) => out.push(word >>> 24, word >>> 16 & 0xff, word >>> 8 & 0xff, word & 0xff));
    return out;
}

/** Takes a block of 64 bytes into the hash h. */
function block(h: number[], k: number[], bytes: number[], at: number) {
    const turn = (x: number, n: number) => x >>> n | x << 32 - n;
    const w: number[] = [];
    for (let i = 0; i < 16; i++) {
        const p = at + i * 4;
        w.push(bytes[p] << 24 | bytes[p + 1] << 16 | bytes[p + 2] << 8 | bytes[p + 3]);
    }
    for (let i = 16; i < 64; i++) {
        const a = w[i - 15], b = w[i - 2];
        w.push(w[i - 16] + (turn(a, 7) ^ turn(a, 18) ^ a >>> 3) + w[i - 7] + (turn(b, 17) ^ turn(b, 19) ^ b >>> 10) | 0);
    }
    const s = h.slice();
    for (let i = 0; i < 64; i++) {
        const [a, b, c, d, e, f, g] = s;
        const one = s[7] + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + (e & f ^ ~e & g) + k[i] + w[i] | 0;
        const two = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + (a & b ^ a & c ^ b & c) | 0;
        s.splice(0, 8, one + two | 0, a, b, c, d + one | 0, e, f, g);
    }
    s.forEach((word, i) => { h[i] = h[i] + word | 0; });
}
