// Package api is the local HTTP API: records, links to recordings, health and
// metrics. What it shows are the types of package contract.
package api

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/recording"
	"github.com/voipd/voipd/internal/recording/convert"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// Records is what the API reads of records: a [store.CallRecords].
type Records interface {
	Rows(context.Context, store.Query) ([]store.Row, bool, error)
	Count(ctx context.Context, q store.Query, most int) (n int, more bool, err error)
	Record(ctx context.Context, callID string) (record.Record, error)
}

// Figures counts records: a [store.CallRecords].
type Figures interface {
	Figures(context.Context, store.Query, *time.Location) (store.Figures, error)
}

// CallBacks tells whom to call back, and who was: a [store.DB].
type CallBacks interface {
	Missed(context.Context, store.MissedQuery) ([]store.MissedPerson, bool, error)
	CountMissed(context.Context, store.MissedQuery) (int, error)
	Returned(ctx context.Context, callIDs []string) (map[string]record.Return, error)
	Dismiss(ctx context.Context, d store.Dismissal, since, to time.Time, tell func(record.Missed, record.Record) store.Change) error
}

// Changes is what the API reads of what the outside was told: a [store.ChangeLog].
type Changes interface {
	Changes(ctx context.Context, after int64, limit int) ([]store.Change, error)
	ChangedRecords(ctx context.Context, after int64, limit int) ([]record.Record, int64, error)
	Span(context.Context) (store.Span, error)
	Changed() <-chan struct{}
	Instance(context.Context) (string, error)
}

// Options of the API. All fields are needed but Metrics, Log and Transcoder.
type Options struct {
	Records  Records
	Changes  Changes
	Webhooks Webhooks
	// CallBacks, Figures and Facts are nil at a centre.
	CallBacks CallBacks
	Figures   Figures
	Facts     Facts
	Answers   Answers                       // nil: an Idempotency-Key has no effect
	Live      func() ([]record.Live, int64) // the calls going on, and the last change that is in them
	Halt      <-chan struct{}               // closed when the program stops: streams end; nil: never
	Library   *recording.Library
	Signer    recording.Signer
	// LinkKey gives the key of a token's own links; nil: no token has any.
	LinkKey func(ctx context.Context, token string) ([]byte, error)
	// Transcoder converts what browsers do not play; nil: nothing is converted.
	Transcoder *convert.Transcoder
	Tokens     []Token
	// Members lists the PBX's operators. Originate rings src, dials dst once src
	// has answered, and gives the call's id. Hangup ends a call. token is the name
	// of the token that asks.
	Members   func(context.Context) []contract.Member
	Originate func(ctx context.Context, token, src, dst string) (callID string, err error)
	Hangup    func(ctx context.Context, token, callID string) error
	Away      func() time.Time // since when the PBX is away; zero: it is there; nil: it always is
	FromHost  bool             // links have the host under which they were asked for, instead of the Signer's
	Hosts     []string         // names, in lower case, under which the API answers beside addresses and localhost
	Origins   []string         // of pages that may call the API ("https://crm.example.com")
	Health    func(context.Context) contract.Health
	Metrics   *prometheus.Registry // nil: no /metrics
	Now       func() time.Time
	Zone      *time.Location // of times that a client writes without an offset; nil: UTC
	Log       *slog.Logger
	Version   string

	// Centre makes this the API of a centre, which has records of many PBXs; nil: it is
	// one PBX's. Of the fields above a centre needs Records, Changes, Health, Now and Log.
	Centre *Centre

	Page      Page   // for people, at /; nil: none
	SignInKey []byte // of [SignInCode]; nil: no code signs in
}

// Page is voipd's page. It needs no token: what it shows it asks the API for.
type Page interface {
	http.Handler
	Has(path string) bool // whether a path is the page's
}

// bodyLimit bounds a request's body: a call object is some 100 bytes.
const bodyLimit = 64 << 10

// New makes the handler of the whole API.
func New(opt Options) *API {
	if opt.Transcoder == nil {
		opt.Transcoder = convert.Idle()
	}
	if opt.Zone == nil {
		opt.Zone = time.UTC
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	mux := http.NewServeMux()
	config := huma.DefaultConfig("voipd", opt.Version)
	config.Formats = formats()
	config.CreateHooks = nil // no "$schema" in answers
	config.Transformers = []huma.Transformer{typed}
	config.DocsPath, config.SchemasPath = "", ""
	config.RejectUnknownQueryParameters = true
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer", Description: "A token of the configuration"},
		"session": {Type: "apiKey", In: "cookie", Name: sessionCookie, Description: "A session of voipd's own page"}}
	config.Security = []map[string][]string{{"token": {}}, {"session": {}}}
	s := &server{opt: opt, wrong: newWrongTokens(opt.Log), streams: make(chan struct{}, streams), peaks: newPeaks(), started: opt.Now().Truncate(time.Millisecond)}
	routes := humago.New(mux, config)
	s.recordRoutes(routes)
	if opt.Centre != nil {
		s.centreRoutes(routes, mux)
	} else {
		s.routes(routes)
		mux.HandleFunc("GET "+recording.LinkPath+"{callId}/{id}", s.behindLink(s.serve))
		mux.HandleFunc("GET "+recording.LinkPath+"{callId}/{id}/peaks", s.behindLink(s.servePeaks))
	}
	describe(routes)
	if opt.Metrics != nil {
		mux.Handle("GET /metrics", promhttp.HandlerFor(opt.Metrics, promhttp.HandlerOpts{}))
	}
	mux.Handle("/", s.page(elsewhere(mux)))
	s.tokens.Store(&opt.Tokens)
	if opt.Centre != nil {
		s.sessions.seal, s.tickets.seal = opt.Centre.SessionKey, opt.Centre.SessionKey
	}
	return &API{hardened(s.identified(s.hosts(s.origins(s.authorised(byAccept(masking(parameters(s.once(mux))))))))), s}
}

// API is the handler of all requests.
type API struct {
	http.Handler
	server *server
}

// SetTokens makes these the tokens that let apps in, from the next request on. Any
// goroutine may call it.
func (a *API) SetTokens(all []Token) { a.server.tokens.Store(&all) }

type server struct {
	opt               Options
	tokens            atomic.Pointer[[]Token]
	tickets, sessions passes
	codes             signInCodes
	started           time.Time
	doing             doing
	orders            orders
	wrong             *wrongTokens
	streams           chan struct{} // holds one for each stream
	peaks             peaks
}

// recordRoutes are those of a PBX's voipd and of a centre.
func (s *server) recordRoutes(api huma.API) {
	huma.Register(api, huma.Operation{OperationID: "list-records", Method: http.MethodGet, Path: "/v1/records",
		Summary: "Records of calls, newest first"}, s.list)
	huma.Register(api, huma.Operation{OperationID: "export-records-csv", Method: http.MethodGet, Path: csvPath,
		Summary: "All records that fit, as CSV; GET /v1/records with Accept: text/csv gives the same", Responses: fileOf(csvType)}, s.exportCSV)
	huma.Register(api, huma.Operation{OperationID: "export-records-ndjson", Method: http.MethodGet, Path: ndjsonPath,
		Summary: "All records that fit, one JSON object a line; GET /v1/records with Accept: application/x-ndjson gives the same", Responses: fileOf(ndjsonType)}, s.exportNDJSON)
	huma.Register(api, huma.Operation{OperationID: "get-record", Method: http.MethodGet, Path: "/v1/records/{callId}",
		Summary: "The record of one call"}, s.get)
	huma.Register(api, huma.Operation{OperationID: "follow-events", Method: http.MethodGet, Path: "/v1/events",
		Summary:   "Events as they happen, as server-sent events or over a WebSocket",
		Responses: map[string]*huma.Response{"200": {Description: "Events", Content: map[string]*huma.MediaType{"text/event-stream": {}}}}}, s.events)
	huma.Register(api, huma.Operation{OperationID: "issue-ticket", Method: http.MethodPost, Path: ticketsPath,
		Summary: "A ticket for one stream of events, for a minute: a browser's EventSource and WebSocket send no Authorization", DefaultStatus: http.StatusCreated}, s.issueTicket)
	huma.Register(api, huma.Operation{OperationID: "begin-session", Method: http.MethodPost, Path: sessionPath,
		Summary: "Sign voipd's own page in: a cookie that stands for the token for twelve hours", DefaultStatus: http.StatusCreated}, s.beginSession)
	huma.Register(api, huma.Operation{OperationID: "show-session", Method: http.MethodGet, Path: sessionPath,
		Summary: "What the token or the session may do"}, s.showSession)
	huma.Register(api, huma.Operation{OperationID: "end-session", Method: http.MethodDelete, Path: sessionPath,
		Summary: "Sign voipd's own page out", DefaultStatus: http.StatusNoContent}, s.endSession)
	health := map[string]*huma.MediaType{"application/json": {Schema: api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[contract.Health](), true, "Health")}}
	huma.Register(api, huma.Operation{OperationID: "get-health", Method: http.MethodGet, Path: "/v1/health",
		Summary: "How voipd does. Without a token, status alone", Security: []map[string][]string{{}, {"token": {}}},
		Responses: map[string]*huma.Response{"200": {Description: "All is well", Content: health}, "503": {Description: "Something is failing", Content: health}}}, s.health)
}

// routes are those that need the PBX.
func (s *server) routes(api huma.API) {
	huma.Register(api, huma.Operation{OperationID: "list-calls", Method: http.MethodGet, Path: "/v1/calls",
		Summary: "Calls that go on, the oldest first"}, s.calls)
	huma.Register(api, huma.Operation{OperationID: "get-call", Method: http.MethodGet, Path: "/v1/calls/{callId}",
		Summary: "How one call stands: ordered, going on, or over"}, s.call)
	huma.Register(api, huma.Operation{OperationID: "place-call", Method: http.MethodPost, Path: "/v1/calls",
		Summary: "Ring an operator and dial a number for him", DefaultStatus: http.StatusAccepted, MaxBodyBytes: bodyLimit}, s.placeCall)
	huma.Register(api, huma.Operation{OperationID: "end-call", Method: http.MethodDelete, Path: "/v1/calls/{callId}",
		Summary: "Hang a call up", DefaultStatus: http.StatusNoContent}, s.endCall)
	huma.Register(api, huma.Operation{OperationID: "list-members", Method: http.MethodGet, Path: "/v1/members",
		Summary: "The PBX's operators and what their phones do"}, s.listMembers)
	huma.Register(api, huma.Operation{OperationID: "make-call-link", Method: http.MethodPost, Path: "/v1/call-link",
		Summary: "A link to a call's recording that works alone until it expires", MaxBodyBytes: bodyLimit}, s.link)
	s.factsRoutes(api)
	s.missedRoutes(api)
	s.statsRoutes(api)
	s.webhookRoutes(api)
}

// file is what audio needs of an open recording.
type file interface {
	io.ReadSeeker
	io.ReaderAt
	io.Closer
}

var _ file = (*os.File)(nil)
