package trace_test

import (
	"strings"
	"testing"

	"github.com/voipd/voipd/internal/trace"
	"github.com/voipd/voipd/record"
)

// TestClassIsDisguised: an endpoint may show a company's number; its extension stays.
func TestClassIsDisguised(t *testing.T) {
	for class, stays := range map[string]bool{"extension 121": true, "operator 101": true, "trunk": true, "extension 74951110000": false} {
		e := record.Event{Channel: record.Channel{Class: class}, Peer: record.Channel{Class: class}}
		got := trace.NewDisguise([]byte("key")).Event(e)
		if (got.Channel.Class == class) != stays || got.Peer.Class != got.Channel.Class || !strings.HasPrefix(got.Peer.Class, strings.Fields(class)[0]) {
			t.Errorf("%q became %q and %q", class, got.Channel.Class, got.Peer.Class)
		}
	}
}
