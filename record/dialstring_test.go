package record

import (
	"strings"
	"testing"
)

func TestDialString(t *testing.T) {
	for _, row := range []struct{ dialled, number, shown string }{
		{"89161000001@trunk-a", "89161000001", ""},
		{"PJSIP/89161000001@trunk-a", "89161000001", ""},
		{"trunk-a/89161000001", "89161000001", ""},
		{"provider/sip:89161000001@203.0.113.4:5060", "89161000001", ""},
		{"provider/sip:112@203.0.113.4", "112", ""},
		{"provider/tel:+74951234567", "+74951234567", ""},
		{"g1/89161000001", "89161000001", ""},
		{"g0/w112", "112", ""},
		{"i1/ww89161000001", "89161000001", ""},
		{"branch/89161000001@from-branch", "89161000001", ""},
		{"google/+79161000001@voice.example.com", "+79161000001", ""},
		{"office:pw@203.0.113.4/89161000001", "89161000001", "office:***@203.0.113.4/89161000001"},
		{"IAX2/office:pw@203.0.113.4/89161000001@out", "89161000001", "IAX2/office:***@203.0.113.4/89161000001@out"},
		{"office:p@s/w:d@203.0.113.4:4569/89161000001", "89161000001", "office:***@203.0.113.4:4569/89161000001"},
		{"IAX2/a:one@h/1&IAX2/b:two@h/2,30,tT", "1&IAX2", "IAX2/a:***@h/1&IAX2/b:***@h/2,30,tT"},
		{"89161000001:pw@203.0.113.4", "89161000001", "89161000001:***@203.0.113.4"},
		{"IAX2/:pw@203.0.113.4/89161000001", "89161000001", "IAX2/:***@203.0.113.4/89161000001"},
		{"101", "", ""},
		{"", "", ""},
		{"hello@voicemail:5060", "hello", ""},
		{"from-internal,101,1", "", ""},
	} {
		if row.shown == "" {
			row.shown = row.dialled
		}
		if got := WithoutSecrets(row.dialled); got != row.shown {
			t.Errorf("%q is shown as %q, want %q", row.dialled, got, row.shown)
		}
		if got := dialledNumber(row.dialled); row.number != "" && got != row.number {
			t.Errorf("%q dials %q, want %q", row.dialled, got, row.number)
		}
	}
}

func TestHideSecrets(t *testing.T) {
	const secret, shown = "IAX2/office:pw@203.0.113.4/8916", "IAX2/office:***@203.0.113.4/8916"
	for _, row := range []struct{ fact, want Event }{
		{Event{Kind: DialStarted, Value: secret}, Event{Kind: DialStarted, Value: shown}},
		{Event{Kind: Executed, Key: "Dial", Value: secret + ",30"}, Event{Kind: Executed, Key: "Dial", Value: shown + ",30"}},
		{Event{Kind: Executed, Key: "MixMonitor", Value: "/m/10:30@x.wav"}, Event{Kind: Executed, Key: "MixMonitor", Value: "/m/10:30@x.wav"}},
		{Event{Kind: Parked, Key: secret}, Event{Kind: Parked, Key: shown}},
		{Event{Kind: Originated, Channel: Channel{Name: secret}}, Event{Kind: Originated, Channel: Channel{Name: shown}}},
	} {
		if row.fact.HideSecrets(); row.fact != row.want {
			t.Errorf("got %+v, want %+v", row.fact, row.want)
		}
	}
}

// FuzzDialString: whatever a password holds but "&", ",", "|", ")" and a space, no
// part of it is in the number, nor in what is shown.
func FuzzDialString(f *testing.F) {
	f.Add("office", "s3cret", "203.0.113.4", "89161000001", "out")
	f.Add("a", "p@s/w:d/@", "h:4569", "112", "")
	f.Fuzz(func(t *testing.T, user, secret, host, number, context string) {
		const planted = "PLANTED"
		if strings.ContainsAny(user+host+number+context, "/:@&,|() ") || strings.ContainsAny(secret, "&,|) ") || host == "" || number == "" || addresses(user) {
			t.Skip()
		}
		for _, s := range []string{secret + planted, planted + secret, planted} {
			dialled := user + ":" + s + "@" + host + "/" + number
			if context != "" {
				dialled += "@" + context
			}
			for _, d := range []string{dialled, "IAX2/" + dialled} {
				if shown := WithoutSecrets(d); strings.Contains(shown, planted) {
					t.Errorf("%q is shown as %q", d, shown)
				}
				if got := dialledNumber(d); strings.Contains(got, planted) {
					t.Errorf("%q dials %q", d, got)
				}
			}
		}
	})
}
