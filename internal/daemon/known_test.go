package daemon_test

import (
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/daemon"
	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/internal/sim"
	"github.com/voipd/voipd/store"
)

// TestKnownIsKept: which endpoints are whose, and which numbers are extensions, the PBX
// says in several lists; CEL and CDR are read by that, after a restart too.
func TestKnownIsKept(t *testing.T) {
	o := newOfficeOf(t, sim.Options{Speed: 10,
		Endpoints: []sim.Endpoint{
			{Name: "anna-desk", Auths: "anna", CallerID: `"Anna" <121>`},
			{Name: "101", Auths: "101", CallerID: `"Irina" <101>`},
			{Name: "99101", Auths: "99101"},
			{Name: "2001", Auths: "2001", CallerID: `"Hot desk" <2001>`},
			{Name: "trunk-a", OutboundAuth: "trunk-a"}},
		Hints: map[string]string{"105": "Custom:DND105,CustomPresence:105", "610": "Queue:610", "600": "PJSIP/101&PJSIP/106", "630": "confbridge:630", "701": "park:701@parkedcalls",
			"106": "PJSIP/106&PJSIP/99106&Custom:DND106", "109": "SCCP/desk", "*76101": "Custom:FOLLOWME101"},
		Mailboxes: []string{"107"},
		Database:  map[string]string{"/DEVICE/99101/user": "101", "/DEVICE/2001/user": "108", "/DEVICE/101/user": "101", "/AMPUSER/101/device": "101&99101"}})
	o.start()
	want := store.Known{
		Endpoints: map[string]string{"PJSIP/anna-desk": "extension 121", "PJSIP/101": "operator 101", "PJSIP/99101": "operator 101", "PJSIP/2001": "operator 108", "PJSIP/trunk-a": "trunk"},
		Numbers:   map[string]bool{"101": true, "99101": true, "105": true, "106": true, "107": true, "108": true, "109": true, "121": true, "2001": true}}
	o.members("101 Irina idle, 108 Hot desk idle, 121 Anna idle")
	for deadline := time.Now().Add(20 * time.Second); ; {
		db, err := store.OpenReadOnly(t.Context(), o.config.Store.Path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := db.Known(t.Context())
		if err := errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
		if maps.Equal(got.Endpoints, want.Endpoints) && maps.Equal(got.Numbers, want.Numbers) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	}
	if err := o.stop(); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), o.config.Store.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rules, err := daemon.WithKnown(t.Context(), db, numbers.Default())
	if ext, ok := rules.Operator("PJSIP/anna-desk", ""); err != nil || !ok || ext != "121" || rules.Numbers["610"] {
		t.Errorf("rules of CEL and CDR are %+v (%v)", rules, err)
	}
}
