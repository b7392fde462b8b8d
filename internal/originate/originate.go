// Package originate places calls for the app: it rings an operator and then
// dials a number for him (click to call). What it may dial is what the
// configuration allows, and nothing else: whoever has the app's token must not
// be able to call at the organisation's cost where he likes.
package originate

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

// Order is a call to be placed, as the PBX needs it.
type Order struct {
	ID       string // of the first channel, and so of the call
	Channel  string // to ring first: "PJSIP/101"
	Context  string // of the dialplan, where Exten is dialled
	Exten    string
	CallerID string
	Timeout  time.Duration     // how long the operator's phone rings
	Headers  map[string]string // SIP headers for the operator's phone
}

// PBX places calls and ends channels. An error says what the PBX answered.
type PBX interface {
	// Originate returns when the PBX took the order; nobody has answered then.
	// ErrBusy and ErrUnreachable are for what is known by then.
	Originate(ctx context.Context, o Order) error
	// Hangup ends a channel; none of that id is no error.
	Hangup(ctx context.Context, channelID string) error
}

// Options of a Desk.
type Options struct {
	PBX          PBX
	Sources      []*regexp.Regexp // operators for whom calls may be placed; none: nobody
	Destinations []*regexp.Regexp // numbers that may be dialled, as the app gives them; none: nothing
	Channel      string           // what rings the operator; {src} is his extension
	Context      string
	CallerID     string            // {src}, {dst}
	Timeout      time.Duration     // how long the operator's phone rings
	Headers      map[string]string // SIP headers for his phone, such as for auto-answer
	PerMinute    int               // calls placed in a minute, at most; beyond, they are refused
	// Busy and Offline tell what is known of an operator's phone.
	Busy, Offline func(extension string) bool
	// Ordered is told of each order before the PBX is: record.Originated.
	Ordered func(callID, exten string)
	Now     func() time.Time
	Log     *slog.Logger
}

// Desk places calls. Make one with New; any goroutine may use it.
type Desk struct {
	opt   Options
	mu    sync.Mutex
	limit *rate.Limiter
}

// New makes a Desk.
func New(opt Options) *Desk {
	return &Desk{opt: opt, limit: rate.NewLimiter(rate.Limit(float64(opt.PerMinute)/60), max(1, opt.PerMinute))}
}

// Call rings src and connects him with dst. It gives the id of the record to
// come. Who asks is for the log. A *contract.Refusal says why it may not or cannot be.
func (d *Desk) Call(ctx context.Context, who, src, dst string) (callID string, err error) {
	src, dst = strings.TrimSpace(src), bare(dst)
	if err := d.allowed(src, dst); err != nil {
		d.opt.Log.Warn("a call was not placed", "for", who, "why", err)
		return "", err
	}
	id, err := newID(d.opt.Now())
	if err != nil {
		return "", err
	}
	fill := strings.NewReplacer("{src}", src, "{dst}", dst)
	d.opt.Ordered(id, dst)
	err = d.opt.PBX.Originate(ctx, Order{ID: id, Channel: fill.Replace(d.opt.Channel), Context: d.opt.Context, Exten: dst,
		CallerID: fill.Replace(d.opt.CallerID), Timeout: d.opt.Timeout, Headers: d.opt.Headers})
	if err != nil {
		d.opt.Log.Warn("a call was not placed", "for", who, "call", id, "why", err)
		return "", err
	}
	d.opt.Log.Info("placed a call", "for", who, "call", id, "source", src)
	return id, nil
}

// Hangup ends the channels of a call.
func (d *Desk) Hangup(ctx context.Context, who, callID string, channels []string) error {
	for _, id := range channels {
		if err := d.opt.PBX.Hangup(ctx, id); err != nil {
			return err
		}
	}
	d.opt.Log.Info("ended a call", "for", who, "call", callID)
	return nil
}

// allowed tells why a call may not be placed; nil: it may.
func (d *Desk) allowed(src, dst string) error {
	switch {
	case len(d.opt.Sources) == 0:
		return &contract.Refusal{Code: contract.CallsOff, Why: "Placing calls is switched off: the configuration has no calls.sources."}
	case !plain(src) || !matches(d.opt.Sources, src):
		return &contract.Refusal{Code: contract.SourceRefused, Why: "Calls may not be placed for this extension (calls.sources)."}
	case !plain(dst) || !matches(d.opt.Destinations, dst):
		return &contract.Refusal{Code: contract.NumberRefused, Why: "This number may not be dialled (calls.destinations)."}
	case src == dst:
		return &contract.Refusal{Code: contract.NumberRefused, Why: "The operator cannot be called by himself."}
	case d.opt.Offline(src):
		return &contract.Refusal{Code: contract.OperatorUnreachable, Why: "The operator's phone is not registered."}
	case d.opt.Busy(src):
		return &contract.Refusal{Code: contract.OperatorBusy, Why: "The operator's phone is in use."}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.limit.AllowN(d.opt.Now(), 1) {
		return &contract.Refusal{Code: contract.TooManyCalls, Why: fmt.Sprintf("More than %d calls were placed in a minute (calls.per_minute).", d.opt.PerMinute)}
	}
	return nil
}

func matches(list []*regexp.Regexp, s string) bool {
	for _, p := range list {
		if p.FindString(s) == s {
			return true // the whole of it, whatever the pattern's anchors
		}
	}
	return false
}

// plain tells whether s is nothing but a number's characters or an endpoint's
// name: it goes into an AMI action, a dial string and a dialplan.
func plain(s string) bool {
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

// bare takes the marks for the eye out of a phone number.
func bare(s string) string {
	return strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", ".", "", "\u00a0", "").Replace(s)
}

// newID makes a channel's id: like one of Asterisk's own, and never one.
func newID(now time.Time) (string, error) {
	random := make([]byte, 6)
	if _, err := rand.Read(random); err != nil {
		return "", fmt.Errorf("make call id: %w", err)
	}
	return fmt.Sprintf("voipd-%d.%s", now.Unix(), hex.EncodeToString(random)), nil
}
