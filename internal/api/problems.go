package api

import (
	"net/http"

	"github.com/voipd/voipd/internal/contract"
)

// knownProblem is one type of problem that the API answers with.
type knownProblem struct {
	name   string
	status int
	means  string
	remedy string
}

// problems are all types, in the order of docs/problems.md, which a test makes of
// them.
func problems() []knownProblem {
	return []knownProblem{
		{"bad-request", http.StatusUnprocessableEntity, "A parameter or the body is not what the API takes; \"errors\" names each place, and what belongs there. A body that is no JSON at all has the status 400.", "Correct the request; sent again as it is it fails again."},
		{"unauthorised", http.StatusUnauthorized, "No token came, or one that the configuration does not have; a ticket was used before or is older than a minute; a session has ended.", "Send `Authorization: Bearer TOKEN`, take a new ticket, or sign in again."},
		{"too-many-wrong-tokens", http.StatusTooManyRequests, "Ten wrong tokens came from one address.", "Wait as long as `Retry-After` says, and send the right one."},
		{"scope-missing", http.StatusForbidden, "The token may not do that.", "Give it the scope that the text names (http.tokens), or use another."},
		{"numbers-masked", http.StatusForbidden, "Numbers of people outside are masked for this token (numbers:masked), so it cannot look for more of one than it is shown: four digits from the beginning. Nor can it add webhooks, which are told numbers in whole, or export facts, which have them.", "Ask for fewer digits, or with another token."},
		{"foreign-origin", http.StatusForbidden, "A page of an origin that the configuration does not have called the API.", "Put the origin into http.origins."},
		{"unknown-host", http.StatusMisdirectedRequest, "voipd does not answer under this name.", "Put the name into http.hosts or http.base_url."},
		{"unknown-path", http.StatusNotFound, "The API has no such path.", "See openapi.json."},
		{"method-not-allowed", http.StatusMethodNotAllowed, "The path takes other methods: `Allow` has them.", "See openapi.json."},
		{"body-too-large", http.StatusRequestEntityTooLarge, "The body is larger than 64 KiB.", "No body of the API needs as much."},
		{"unsupported-media-type", http.StatusUnsupportedMediaType, "The body is not JSON by its Content-Type.", "Send `Content-Type: application/json`."},
		{"not-acceptable", http.StatusNotAcceptable, "None of the formats in Accept can be given.", "Accept application/json."},
		{"body-too-slow", http.StatusRequestTimeout, "The body did not come in time.", "Send it again."},
		{"idempotency-key-reused", http.StatusUnprocessableEntity, "The Idempotency-Key came with another body before.", "Take a new key for each new request."},
		{"outcome-unknown", http.StatusConflict, "voipd was stopped while it did what this Idempotency-Key asked for.", "Look whether it was done (GET /v1/calls, GET /v1/records); take a new key to do it again."},
		{"unknown-call", http.StatusNotFound, "There is no such call, or it is over, or its record was erased.", "Look for it in GET /v1/records."},
		{"facts-gone", http.StatusGone, "The facts from which the record was made are not kept any more (store.keep_traces), or CEL or CDR told it.", "Nothing is to be had; the record's details.why says which rules decided it."},
		{"not-missed", http.StatusNotFound, "Nobody waits to be called back under that number or call: somebody talked with the caller, or it was dismissed.", "GET /v1/missed has all who wait."},
		{"events-gone", http.StatusGone, "The events behind the position are not kept any more.", "Read the records of that time, then go on from the position that the text names."},
		{"too-many-streams", http.StatusServiceUnavailable, "200 readers follow the events already.", "Close streams that nobody reads; come again after `Retry-After`."},
		{"not-recorded", http.StatusNotFound, "The call has no recording of a conversation.", "Nothing is to be had."},
		{"unknown-recording", http.StatusNotFound, "The call has no recording of that id.", "Take the id from the record as it is now."},
		{"recording-growing", http.StatusConflict, "The recording is still being written.", "Ask again in some seconds, or wait for recording.ready."},
		{"recording-gone", http.StatusGone, "The recording's file is no longer on the disk.", "Nothing is to be had."},
		{"recording-refused", http.StatusForbidden, "The file is not audio in one of the configured folders.", "Put its folder into recordings.directories."},
		{"link-invalid", http.StatusForbidden, "The link's signature is wrong: it was changed, or revoked (voipd token revoke-links), or the token whose it is was changed or taken out, or voipd has a new key.", "Ask for a new link."},
		{"link-expired", http.StatusForbidden, "The link has expired.", "Ask for a new link."},
		{"unknown-format", http.StatusBadRequest, "format is none that voipd makes.", "The text has all of them."},
		{"no-converter", http.StatusNotImplemented, "No installed program makes that format of this recording.", "Install ffmpeg and restart voipd; format=original gives the file as it is."},
		{"converter-busy", http.StatusServiceUnavailable, "Other recordings are being converted.", "Ask again after `Retry-After`."},
		{"conversion-too-long", http.StatusUnprocessableEntity, "The recording is too long to be converted.", "format=original gives the file as it is."},
		{"conversion-no-room", http.StatusInsufficientStorage, "The disk is nearly full, so nothing is converted.", "Make room; format=original gives the file as it is."},
		{"conversion-failed", http.StatusUnprocessableEntity, "The converter made no sound of the recording.", "voipd's log says why; format=original gives the file as it is."},
		{contract.CallsOff, http.StatusForbidden, "Placing calls is switched off.", "Say in calls.sources for whom calls may be placed."},
		{contract.SourceRefused, http.StatusForbidden, "Calls may not be placed for this extension.", "See calls.sources."},
		{contract.NumberRefused, http.StatusForbidden, "The number may not be dialled, or is none.", "See calls.destinations."},
		{contract.OperatorBusy, http.StatusConflict, "The operator's phone is in use.", "Place the call when it is free."},
		{contract.OperatorUnreachable, http.StatusConflict, "The operator's phone is not registered.", "Let the operator sign his phone in."},
		{contract.TooManyCalls, http.StatusTooManyRequests, "More calls were placed in a minute than calls.per_minute.", "Wait as long as `Retry-After` says."},
		{contract.PBXUnreachable, http.StatusBadGateway, "The PBX did not take the order, or is away.", "GET /v1/health says since when; place the call again later, with the same Idempotency-Key."},
		{contract.UnknownWebhook, http.StatusNotFound, "There is no webhook of that name.", "GET /v1/webhooks has all."},
		{contract.UnknownDelivery, http.StatusNotFound, "That event did not go to that webhook, or is too old.", "GET /v1/webhooks/{name}/deliveries has all that are kept."},
		{contract.NotParked, http.StatusConflict, "The event waits for the webhook, was taken or has expired: only a parked one is sent again.", "See its state."},
		{contract.WebhookExists, http.StatusConflict, "There is a webhook of that name.", "Take another name, or remove that one first."},
		{contract.WebhookInFile, http.StatusConflict, "The webhook stands in the configuration, where the API changes nothing.", "Change the file and reload voipd (systemctl reload voipd)."},
		{contract.TooManyWebhooks, http.StatusConflict, "There are 50 webhooks by the API.", "Remove one that nobody needs."},
		{"several-calls", http.StatusConflict, "At a centre: two PBXs have a call of that id.", "Say which is meant: pbx=NAME."},
		{"not-at-centre", http.StatusNotImplemented, "Only the voipd beside a PBX can do that, not a centre.", "Ask that one; GET /v1/pbxs lists the PBXs."},
		{"recording-at-edge", http.StatusNotImplemented, "At a centre: it has no audio.", "Ask the voipd beside the PBX for a link."},
		{"code-refused", http.StatusForbidden, "At a centre: the code of enrolment was used before, is older than a day, or is none.", "voipd centre edge add makes another."},
		{"internal", http.StatusInternalServerError, "voipd could not do it, by no fault of the client's.", "Its log says why beside the id of the request, which \"instance\" and `X-Request-Id` have."},
	}
}
