package pbx

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/voipd/voipd/internal/contract"
)

// Calls say which calls may be placed for the app (click to call) and how. The
// zero value places none: whoever has the app's token must not be able to call
// at the organisation's cost wherever he likes.
type Calls struct {
	Sources      []*regexp.Regexp  // operators for whom calls may be placed; none: nobody
	Destinations []*regexp.Regexp  // numbers that may be dialled, as the app gives them; none: nothing
	Channel      string            // what rings the operator; {src} is the operator's extension
	Context      string            // of the dialplan, where the number is dialled
	CallerID     string            // {src}, {dst}
	RingFor      time.Duration     // how long the operator's phone rings
	Headers      map[string]string // SIP headers for the operator's phone, such as for auto-answer
	PerMinute    int               // calls placed in a minute, at most; beyond, they are refused
}

// order is a call to be placed, as the PBX needs it.
type order struct {
	id       string // of the first channel, and so of the call
	channel  string // to ring first: "PJSIP/101"
	context  string // of the dialplan, where exten is dialled
	exten    string
	callerID string
	ringFor  time.Duration
	headers  map[string]string
}

// originator places calls: it rings an operator and then dials a number for
// him.
type originator struct {
	calls  Calls
	link   connection
	member func(extension string) string        // what an operator's phone does: contract.Busy, …
	before func(callID, operator, exten string) // called before the PBX gets the order
	failed func(callID string)                  // called where it did not take the order, or says at once that it failed
	now    func() time.Time
	log    *slog.Logger

	mu    sync.Mutex
	limit *rate.Limiter
}

func newOriginator(c Calls, l connection, member func(string) string, before func(callID, operator, exten string), failed func(callID string), now func() time.Time, log *slog.Logger) *originator {
	return &originator{calls: c, link: l, member: member, before: before, failed: failed, now: now, log: log,
		limit: rate.NewLimiter(rate.Limit(float64(c.PerMinute)/60), max(1, c.PerMinute))}
}

// orderWithin is how long the PBX may take to take an order.
const orderWithin = 15 * time.Second

// call rings src and connects him with dst. It gives the id of the record to
// come. token is the name of the app's token, for the log. A
// [*contract.Refusal] says why the call was not placed.
func (o *originator) call(ctx context.Context, token, src, dst string) (callID string, err error) {
	src, dst = strings.TrimSpace(src), withoutMarks(dst)
	if err := o.allowed(src, dst); err != nil {
		o.log.Warn("a call was not placed", "token", token, "reason", err)
		return "", err
	}
	id, err := newID(o.now())
	if err != nil {
		return "", err
	}
	fill := strings.NewReplacer("{src}", src, "{dst}", dst)
	o.before(id, src, dst)
	ctx, cancel := context.WithTimeout(ctx, orderWithin)
	defer cancel()
	err = o.link.originate(ctx, order{id: id, channel: fill.Replace(o.calls.Channel), context: o.calls.Context, exten: dst,
		callerID: fill.Replace(o.calls.CallerID), ringFor: o.calls.RingFor, headers: o.calls.Headers})
	if err != nil {
		o.failed(id)
		o.log.Warn("a call was not placed", "token", token, "call", id, "reason", err)
		return "", err
	}
	o.log.Info("placed a call", "token", token, "call", id, "source", src)
	return id, nil
}

// hangup ends the channels of a call.
func (o *originator) hangup(ctx context.Context, token, callID string, channels []string) error {
	ctx, cancel := context.WithTimeout(ctx, orderWithin)
	defer cancel()
	for _, id := range channels {
		if err := o.link.hangup(ctx, id); err != nil {
			return err
		}
	}
	o.log.Info("ended a call", "token", token, "call", callID)
	return nil
}

// allowed says why a call may not be placed; nil: it may.
func (o *originator) allowed(src, dst string) error {
	refuse := func(code, why string) error { return &contract.Refusal{Code: code, Why: why} }
	switch {
	case len(o.calls.Sources) == 0:
		return refuse(contract.CallsOff, "Placing calls is switched off: the configuration has no calls.sources.")
	case !dialable(src) || !matches(o.calls.Sources, src):
		return refuse(contract.SourceRefused, "Calls may not be placed for this extension (calls.sources).")
	case !dialable(dst) || !matches(o.calls.Destinations, dst):
		return refuse(contract.NumberRefused, "This number may not be dialled (calls.destinations).")
	case src == dst:
		return refuse(contract.NumberRefused, "The operator cannot be called by himself.")
	}
	switch o.member(src) {
	case contract.Offline:
		return refuse(contract.OperatorUnreachable, "The operator's phone is not registered.")
	case contract.Busy:
		return refuse(contract.OperatorBusy, "The operator's phone is in use.")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.limit.AllowN(o.now(), 1) {
		return refuse(contract.TooManyCalls, fmt.Sprintf("More than %d calls were placed in a minute (calls.per_minute).", o.calls.PerMinute))
	}
	return nil
}

// matches tells whether a pattern matches the whole of s, whatever the
// pattern's anchors.
func matches(patterns []*regexp.Regexp, s string) bool {
	for _, p := range patterns {
		if p.FindString(s) == s {
			return true
		}
	}
	return false
}

// dialable tells whether s has nothing but the characters of a number or of an
// endpoint's name: it goes into an AMI action, a dial string and a dialplan.
func dialable(s string) bool {
	if s == "" || len(s) > 40 {
		return false
	}
	for i, c := range s {
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '*', c == '#', c == '_':
		case c == '+' && i == 0, c == '-' && i > 0:
		default:
			return false
		}
	}
	return true
}

// withoutMarks takes blanks, brackets, dashes and dots out of a phone number.
func withoutMarks(s string) string {
	return strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", ".", "", "\u00a0", "").Replace(s)
}

// newID makes the id of a channel: unlike any of Asterisk's own.
func newID(now time.Time) (string, error) {
	random := make([]byte, 6)
	if _, err := rand.Read(random); err != nil {
		return "", fmt.Errorf("make call id: %w", err)
	}
	return fmt.Sprintf("voipd-%d.%s", now.Unix(), hex.EncodeToString(random)), nil
}
