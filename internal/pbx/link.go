package pbx

import (
	"context"
	"time"

	"github.com/voipd/voipd/ami"
	"github.com/voipd/voipd/ari"
	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/link"
	"github.com/voipd/voipd/record"
)

// connection is the one to the PBX, by AMI or by ARI. Everything that differs
// between the two is behind it.
type connection interface {
	Run(ctx context.Context) error
	Resync()
	// endpoints lists the endpoints with all that the PBX says of them; states
	// lists them with their states alone, which is cheaper.
	endpoints(ctx context.Context) ([]Endpoint, error)
	states(ctx context.Context) ([]Endpoint, error)
	// numbers are those for which there is a hint or a mailbox; said is false where
	// the PBX does not tell.
	numbers(ctx context.Context) (all []string, said bool, err error)
	originate(ctx context.Context, o order) error
	// hangup ends a channel; one that is gone already is no error.
	hangup(ctx context.Context, channelID string) error
	status() linkStatus
}

// linkStatus is the state of a link.
type linkStatus struct {
	contract.LinkHealth
	address   string
	sessions  uint64
	malformed uint64
}

// handlers are what a link calls. None of them blocks.
type handlers struct {
	fact   func(e record.Event, received time.Time)
	device func(device, state string, received time.Time)
	state  func(link.Status)
}

// handlers connect a link with what the PBX is made of. A lost link is a fact,
// too.
func (p *PBX) handlers() handlers {
	wasUp := false
	return handlers{
		fact: func(e record.Event, received time.Time) {
			e.HideSecrets()
			p.table.Mark(&e)
			p.rang(e)
			p.opt.Clock.stamp(e, received, p.opt.Handle)
		},
		device: p.table.SetState,
		state: func(s link.Status) {
			if wasUp && s.State == link.Down {
				p.opt.Handle(gapped(s.Since, "the link to the PBX was down"))
			}
			if wasUp = s.State == link.Up; wasUp {
				p.opt.OnUp()
				p.watch.refresh()
			}
		},
	}
}

func gapped(at time.Time, why string) record.Event {
	return record.Event{At: at, Kind: record.Gapped, Source: record.SourceClock, Value: why}
}

func newLink(opt Options, h handlers) (connection, error) {
	variables := []string{opt.Rules.SrcExtVariable, opt.Rules.DstExtVariable}
	if opt.ARI != nil {
		o := *opt.ARI
		o.Log, o.Variables = opt.Log, variables
		o.Handle = func(e record.Event) { h.fact(e, time.Now()) }
		o.OnDevice = h.device
		o.OnState = h.state
		c, err := ari.NewClient(o)
		return ariLink{c}, err
	}
	o := *opt.AMI
	o.Log, o.Backoff.Refused = opt.Log, opt.Refused
	translate := ami.NewTranslator(variables...)
	l := &amiLink{placed: map[string]chan string{}}
	o.Handle = func(m *ami.Message, received time.Time) {
		l.originateFailed(m)
		if string(m.Event()) == "DeviceStateChange" {
			h.device(string(m.Get("Device")), string(m.Get("State")), received)
		}
		if e, ok := translate.Event(m, received); ok {
			h.fact(e, received)
		}
	}
	o.OnLoss = func(_ string, received time.Time) {
		opt.Handle(gapped(received.UTC(), "the PBX sent something that is no AMI message"))
	}
	o.OnPause = opt.OnPause
	o.OnState = func(s ami.Status) { h.state(s.Status) }
	var err error
	l.Client, err = ami.NewClient(o)
	return l, err
}
