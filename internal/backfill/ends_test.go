package backfill_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/voipd/voipd/internal/backfill"
	"github.com/voipd/voipd/record"
)

// TestWhoEndedIt: Busy() and Congestion() read in CEL as if the caller had hung
// up, but for the cause.
func TestWhoEndedIt(t *testing.T) {
	const trunk, phone = "PJSIP/trunk-a-00000001", "PJSIP/105-00000001"
	for _, c := range []struct {
		what, channel, number, asked, extra string
		disposition                         record.Disposition
		by                                  string
	}{
		{"Busy() for one who dialled a colleague", phone, "105", "104", `{"hangupcause":17,"hangupsource":"` + phone + `","dialstatus":""}`, record.BusyLine, "pbx"},
		{"Congestion() for one who dialled no number", phone, "105", "177", `{"hangupcause":34,"hangupsource":"` + phone + `","dialstatus":""}`, record.Failed, "pbx"},
		{"Busy() for somebody outside", trunk, "79031000041", "74951234567", `{"hangupcause":17,"hangupsource":"` + trunk + `","dialstatus":""}`, record.BusyLine, "pbx"},
		{"Congestion() for somebody outside", trunk, "79031000041", "74951234567", `{"hangupcause":34,"hangupsource":"` + trunk + `","dialstatus":"CHANUNAVAIL"}`, record.Failed, "pbx"},
		{"he hung up himself", trunk, "79031000041", "74951234567", `{"hangupcause":16,"hangupsource":"` + trunk + `","dialstatus":""}`, record.Cancelled, "79031000041"},
		{"he gave up before an answer", trunk, "79031000041", "74951234567", `{"hangupcause":127,"hangupsource":"` + trunk + `","dialstatus":""}`, record.Cancelled, "79031000041"},
		{"the dialplan ended it", trunk, "79031000041", "74951234567", `{"hangupcause":16,"hangupsource":"dialplan/builtin","dialstatus":""}`, record.Failed, "pbx"},
	} {
		got, _ := tell(t, backfill.ReadCEL, celRows(
			[8]string{"CHAN_START", "00.1", c.number, c.asked, c.channel, "", "a.1 a.1"},
			[8]string{"HANGUP", "02.2", c.number, "s-GONE", c.channel, "", "a.1 a.1", c.extra},
			[8]string{"CHAN_END", "02.2", c.number, "s-GONE", c.channel, "", "a.1 a.1"}))
		if len(got) != 1 || got[0].Disposition != c.disposition || got[0].Details.HangupBy != c.by {
			t.Errorf("%s: got %s, by %q, want %s, by %q", c.what, brief(got), got[0].Details.HangupBy, c.disposition, c.by)
		}
	}
}

// TestMembersWithoutDial: cel.conf that lists no Dial, as FreePBX's: a member of
// a queue is a Local channel, which rings his phone, or his mobile by others.
func TestMembersWithoutDial(t *testing.T) {
	const caller, mobile = "PJSIP/trunk-a-00000001", "PJSIP/trunk-b-00000009"
	const left = `{"hangupcause":16,"hangupsource":""}`
	got, _ := tell(t, backfill.ReadCEL, celRows(
		[8]string{"CHAN_START", "00.1", "79031000041", "74951234567", caller, "", "a.1 a.1"},
		[8]string{"APP_START", "00.2", "79031000041", "600", caller, "Queue:600,t", "a.1 a.1"},
		[8]string{"CHAN_START", "00.3", "", "103", "Local/103@from-queue-00000001;1", "", "a.2 a.1"},
		[8]string{"CHAN_START", "00.4", "", "103", "Local/103@from-queue-00000001;2", "", "a.3 a.1"},
		[8]string{"CHAN_START", "00.5", "", "106", "Local/106@from-queue-00000002;1", "", "a.4 a.1"},
		[8]string{"CHAN_START", "00.6", "", "106", "Local/106@from-queue-00000002;2", "", "a.5 a.1"},
		[8]string{"CHAN_START", "00.7", "103", "s", "PJSIP/103-00000003", "", "a.6 a.1"},
		[8]string{"CHAN_START", "00.8", "", "79160000001", "Local/79160000001@out-00000003;1", "", "a.7 a.1"},
		[8]string{"CHAN_START", "00.9", "", "79160000001", "Local/79160000001@out-00000003;2", "", "a.8 a.1"},
		[8]string{"CHAN_START", "01.0", "", "s", mobile, "", "a.9 a.1"},
		[8]string{"ANSWER", "03.1", "79160000001", "79160000001", mobile, "AppDial", "a.9 a.1"},
		[8]string{"ANSWER", "03.2", "79160000001", "106", "Local/79160000001@out-00000003;1", "AppDial", "a.7 a.1"},
		[8]string{"ANSWER", "03.3", "79031000041", "600", caller, "Queue:600,t", "a.1 a.1"},
		[8]string{"BRIDGE_ENTER", "03.4", "79160000001", "", mobile, "AppDial", "a.9 a.1", `{"bridge_id":"b"}`},
		[8]string{"BRIDGE_ENTER", "03.5", "79031000041", "600", caller, "Queue:600,t", "a.1 a.1", `{"bridge_id":"b"}`},
		[8]string{"BRIDGE_EXIT", "09.1", "79160000001", "", mobile, "AppDial", "a.9 a.1", `{"bridge_id":"b"}`},
		[8]string{"HANGUP", "09.2", "79160000001", "", mobile, "AppDial", "a.9 a.1", left},
		[8]string{"CHAN_END", "09.2", "79160000001", "", mobile, "AppDial", "a.9 a.1"},
		[8]string{"CHAN_END", "09.3", "103", "", "PJSIP/103-00000003", "AppDial", "a.6 a.1"},
		[8]string{"CHAN_END", "09.3", "", "", "Local/103@from-queue-00000001;1", "", "a.2 a.1"},
		[8]string{"CHAN_END", "09.3", "", "", "Local/103@from-queue-00000001;2", "", "a.3 a.1"},
		[8]string{"CHAN_END", "09.3", "", "", "Local/106@from-queue-00000002;1", "", "a.4 a.1"},
		[8]string{"CHAN_END", "09.3", "", "", "Local/106@from-queue-00000002;2", "", "a.5 a.1"},
		[8]string{"CHAN_END", "09.3", "", "", "Local/79160000001@out-00000003;1", "", "a.7 a.1"},
		[8]string{"CHAN_END", "09.3", "", "", "Local/79160000001@out-00000003;2", "", "a.8 a.1"},
		[8]string{"CHAN_END", "09.4", "79031000041", "600", caller, "", "a.1 a.1"}))
	if said := brief(got); said != "in 79031000041 106 answered 5" {
		t.Errorf("got %s, want the member whose mobile answered", said)
	}
}

// TestForWhomItWas: where no row says whom a caller from outside came to, the DID
// is all there is, and the record says so; not where he came to a number, or
// where the plan of the DID itself answers.
func TestForWhomItWas(t *testing.T) {
	const trunk = "PJSIP/trunk-a-00000001"
	for _, c := range []struct {
		what, last, dst string
		doubt           bool
	}{
		{"it went on in a macro", "macro-exten-vm:s-BUSY", "74951234567", true},
		{"it ended where it began", "from-trunk:74951234567", "74951234567", false},
		{"it came to an extension", "ext-local:104", "104", false},
	} {
		got := tellFile(t, celRows(
			[8]string{"CHAN_START", "00.1", "79031000041", "from-trunk:74951234567", trunk, "", "a.1 a.1"},
			[8]string{"HANGUP", "02.2", "79031000041", c.last, trunk, "", "a.1 a.1", `{"hangupcause":17,"hangupsource":"dialplan/builtin"}`},
			[8]string{"CHAN_END", "02.2", "79031000041", c.last, trunk, "", "a.1 a.1"}), backfill.Span{})
		if len(got) != 1 || got[0].DstPhone != c.dst || c.doubt != slices.Contains(got[0].Details.Approximate, "whom the caller asked for was not written down") {
			t.Errorf("%s: got %s, approximate %q", c.what, brief(got), got[0].Details.Approximate)
		}
	}
}

// TestBusyToldFirst: on a busy machine the row of the caller, who hears the busy tone of
// the PBX, comes before that of the phone that was busy.
func TestBusyToldFirst(t *testing.T) {
	const trunk, phone = "PJSIP/trunk-a-00000014", "PJSIP/114-00000015"
	row := func(event, at, number, exten, channel, app, id, extra string) string {
		return `"` + event + `","1795812708.` + at + `","","` + number + `","` + number + `","","74951234714","` + exten + `","ext-local","` + channel + `","` + app +
			`","","` + id + `","1795812708.22","","","` + strings.ReplaceAll(extra, `"`, `""`) + `"`
	}
	got, _ := tell(t, backfill.ReadCEL, []string{
		row("CHAN_START", "116445", "79031000157", "74951234714", trunk, "", "1795812708.22", ""),
		row("APP_START", "123304", "79031000157", "114", trunk, "Dial", "1795812708.22", ""),
		row("CHAN_START", "128007", "114", "s", phone, "", "1795812708.23", ""),
		row("HANGUP", "143708", "79031000157", "s-BUSY", trunk, "", "1795812708.22", `{"hangupcause":17,"hangupsource":"`+trunk+`","dialstatus":"BUSY"}`),
		row("CHAN_END", "143708", "79031000157", "s-BUSY", trunk, "", "1795812708.22", ""),
		row("HANGUP", "143848", "114", "114", phone, "AppDial", "1795812708.23", `{"hangupcause":17,"hangupsource":"`+phone+`","dialstatus":""}`),
		row("CHAN_END", "143848", "114", "114", phone, "AppDial", "1795812708.23", ""),
	})
	if len(got) != 1 || got[0].Disposition != record.BusyLine || got[0].DstPhone != "114" {
		t.Errorf("%+v", got)
	}
}
