// What the app gives to a module's scripts, as far as voip.ts uses it. For
// editors and tests: in the app these are there.

// Members that the help article has. Older versions of the app may lack some;
// voip.ts looks each up by its name.
declare enum VoipCallDirection { In = 'in', Out = 'out', Internal = 'internal' }
declare enum VoipCallDisposition { Answered, Busy, Cancel, NoAnswer, Unknown }
declare enum VoipWebhookEvent { NotifyStart, NotifyAnswer, NotifyEnd }

interface VoipTestConnectionResult { success: boolean }

interface VoipMember { id: string; label: string }

interface VoipWebhookRequest {
    callId?: string;
    direction: VoipCallDirection;
    disposition: VoipCallDisposition;
    srcPhone: string;
    srcPhoneExt?: string;
    dstPhone: string;
    dstPhoneExt?: string;
    event: VoipWebhookEvent;
}

interface VoipCallRecord {
    call: any;
    callId?: string;
    direction: VoipCallDirection;
    disposition: VoipCallDisposition;
    srcPhone: string;
    srcPhoneExt?: string;
    dstPhone: string;
    dstPhoneExt?: string;
    duration: number;
}

interface VoipWebhookParseResult { event?: VoipWebhookRequest; callRecord?: VoipCallRecord; response?: HttpResponse }

interface FetchRequest { headers?: { [name: string]: string | string[] }; body?: string | ArrayBuffer }

interface FetchResponse { ok: boolean; status: number; text(): Promise<string> }

declare class HttpResponse {
    status(code: number): HttpResponse;
    content(text: string): HttpResponse;
}

declare const Namespace: { params: { data: { address?: string; token?: string; secret?: string } } };
declare const console: { log(text: string): void };
declare function fetch(url: string, options: { method: string; headers: { [name: string]: string }; body?: string }): Promise<FetchResponse>;
