package capture_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/voipd/voipd/internal/capture"
	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/internal/trace"
	"github.com/voipd/voipd/record"
)

// planted is in every secret, and must be in nothing that voipd puts out.
const planted = "PLANTED"

// FuzzSecrets: the password of a dial string is in no output, whoever told it (AMI,
// ARI, CEL) and wherever it goes: facts as the log and the journal have them, records,
// traces, what explain prints, exports, webhooks.
func FuzzSecrets(f *testing.F) {
	f.Add("office", "s3cret", "203.0.113.4", "89161000001", "out")
	f.Add("a", "p@s/w:d/@", "h:4569", "112", "")
	f.Add("89161000001", "\"'\\", "trunk.example.com", "79031234567", "from-x")
	f.Fuzz(func(t *testing.T, user, secret, host, number, context string) {
		if strings.ContainsAny(user+host+number+context, "/:@&,|() \r\n\"") || strings.ContainsAny(secret, "&,|) \r\n\"") || host == "" || number == "" || scheme(user) {
			t.Skip()
		}
		dialled := user + ":" + secret + planted + "@" + host + "/" + number
		if context != "" {
			dialled += "@" + context
		}
		for name, text := range map[string]string{"ami.txt": overAMI(dialled), "ari.jsonl": overARI(t, dialled), "cel.csv": ofCEL(dialled)} {
			events := captured(t, name, text)
			if len(events) < 4 {
				t.Fatalf("%s: %d facts of %q", name, len(events), dialled)
			}
			for where, text := range outputs(t, events) {
				if strings.Contains(text, planted) {
					t.Errorf("%s of what %s told of %q: %s", where, name, dialled, text)
				}
			}
		}
	})
}

// scheme tells whether a word in front of a colon is no user.
func scheme(word string) bool {
	switch strings.ToLower(word) {
	case "sip", "sips", "tel", "pjsip", "iax2":
		return true
	}
	return false
}

// captured are the facts of a capture.
func captured(t *testing.T, name, text string) (events []record.Event) {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := capture.Events(file, nil, func(e record.Event) { events = append(events, e) }); err != nil {
		t.Fatal(err)
	}
	return events
}

// overAMI is a call to that dial string, as AMI tells it, which is parked as well.
func overAMI(dialled string) string {
	const one = "Channel: PJSIP/101-00000001\r\nUniqueid: 1.1\r\nLinkedid: 1.1\r\nTimestamp: 1795366192.1\r\n"
	const two = "DestChannel: IAX2/office-2\r\nDestUniqueid: 1.2\r\nDestLinkedid: 1.1\r\n"
	return "Asterisk Call Manager/7.0.3\r\nEvent: Newchannel\r\n" + one + "ChannelState: 4\r\nCallerIDNum: 101\r\nExten: 9\r\n\r\n" +
		"Event: Newexten\r\n" + one + "Application: Dial\r\nAppData: IAX2/" + dialled + ",30\r\n\r\n" +
		"Event: DialBegin\r\n" + one + two + "DestChannelState: 0\r\nDialString: " + dialled + "\r\n\r\n" +
		"Event: DialEnd\r\n" + one + two + "DestChannelState: 0\r\nDialStatus: BUSY\r\n\r\n" +
		"Event: ParkedCall\r\nParkeeChannel: PJSIP/101-00000001\r\nParkeeUniqueid: 1.1\r\nParkeeLinkedid: 1.1\r\nTimestamp: 1795366193.1\r\nParkerDialString: IAX2/" + dialled + "\r\nParkingSpace: 701\r\n\r\n" +
		"Event: OriginateResponse\r\nUniqueid: 1.3\r\nResponse: Failure\r\nChannel: IAX2/" + dialled + "\r\nExten: 9\r\nTimestamp: 1795366193.2\r\n\r\n" +
		"Event: Hangup\r\nChannel: IAX2/office-2\r\nUniqueid: 1.2\r\nLinkedid: 1.1\r\nTimestamp: 1795366193.3\r\nCause: 17\r\n\r\n" +
		"Event: Hangup\r\n" + one + "Cause: 17\r\n\r\n"
}

// overARI is the same call, as ARI tells it.
func overARI(t *testing.T, dialled string) string {
	var lines strings.Builder
	channel := func(id, name, state string) map[string]any {
		return map[string]any{"id": id, "name": name, "state": state, "creationtime": "2026-11-22T16:49:52.100+0000", "channelvars": map[string]any{"CHANNEL(linkedid)": "1.1"},
			"caller": map[string]any{"number": "101"}, "dialplan": map[string]any{"exten": "9", "app_name": "Dial", "app_data": "IAX2/" + dialled + ",30"}}
	}
	one, two := channel("1.1", "PJSIP/101-00000001", "Ring"), channel("1.2", "IAX2/office-2", "Down")
	for _, m := range []map[string]any{
		{"type": "ChannelCreated", "channel": one},
		{"type": "ChannelDialplan", "channel": one, "dialplan_app": "Dial", "dialplan_app_data": "IAX2/" + dialled + ",30"},
		{"type": "Dial", "caller": one, "peer": two, "dialstatus": "", "dialstring": dialled},
		{"type": "Dial", "caller": one, "peer": two, "dialstatus": "BUSY", "dialstring": dialled},
		{"type": "ChannelDestroyed", "channel": two, "cause": 17},
		{"type": "ChannelDestroyed", "channel": one, "cause": 17},
	} {
		m["timestamp"], m["application"] = "2026-11-22T16:49:52.100+0000", "voipd"
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&lines, "%s\n", text)
	}
	return lines.String()
}

// ofCEL is the same call in rows of CEL.
func ofCEL(dialled string) string {
	var rows strings.Builder
	rows.WriteString("eventtype,eventtime,cid_num,exten,context,channame,appname,appdata,uniqueid,linkedid,peer,extra\n")
	row := func(kind, at, channel, app, data, id string) {
		fmt.Fprintf(&rows, "%s,1795366192.%s,101,9,from-internal,%s,%s,\"%s\",%s,1.1,,\n", kind, at, channel, app, strings.ReplaceAll(data, `"`, `""`), id)
	}
	dial := "IAX2/" + dialled + ",30"
	row("CHAN_START", "1", "PJSIP/101-00000001", "", "", "1.1")
	row("APP_START", "2", "PJSIP/101-00000001", "Dial", dial, "1.1")
	row("CHAN_START", "3", "IAX2/office-2", "", "", "1.2")
	row("HANGUP", "4", "IAX2/office-2", "AppDial", "(Outgoing Line)", "1.2")
	row("CHAN_END", "5", "IAX2/office-2", "AppDial", "(Outgoing Line)", "1.2")
	row("APP_END", "6", "PJSIP/101-00000001", "Dial", dial, "1.1")
	row("HANGUP", "7", "PJSIP/101-00000001", "", "", "1.1")
	row("CHAN_END", "8", "PJSIP/101-00000001", "", "", "1.1")
	row("LINKEDID_END", "9", "PJSIP/101-00000001", "", "", "1.1")
	return rows.String()
}

// outputs is everything that voipd puts out of these facts, by where it goes.
func outputs(t *testing.T, events []record.Event) map[string]string {
	t.Helper()
	var log, told, records, kept, explained, disguised bytes.Buffer
	m, hide := record.New(numbers.Default()), trace.NewDisguise([]byte("key"))
	var hidden []record.Event
	for _, e := range events {
		fmt.Fprintf(&log, "%+v\n", e)
		hidden = append(hidden, hide.Event(e))
		for _, c := range m.Apply(nil, e) {
			live, ok := m.OpenLive(c.CallID)
			p := &live
			if !ok {
				p = nil
			}
			for _, planned := range contract.Plan(c, p) {
				told.Write(planned.Body)
			}
			if c.Record != nil {
				text, err := contract.Encode(contract.FromRecord(*c.Record))
				if err != nil {
					t.Fatal(err)
				}
				records.Write(text)
			}
		}
	}
	if err := trace.Write(&kept, "1.1", events); err != nil {
		t.Fatal(err)
	}
	if err := trace.Write(&disguised, "1.1", hidden); err != nil {
		t.Fatal(err)
	}
	if err := trace.Explain(&explained, numbers.Default(), "1.1", events); err != nil {
		t.Fatal(err)
	}
	return map[string]string{"log": log.String(), "webhooks": told.String(), "records": records.String(), "trace": unpacked(t, kept.Bytes()),
		"export": unpacked(t, disguised.Bytes()), "explain": explained.String()}
}

// unpacked is a trace as it is read again.
func unpacked(t *testing.T, text []byte) string {
	t.Helper()
	var out strings.Builder
	if _, _, err := trace.Read(bytes.NewReader(text), func(e record.Event) { fmt.Fprintf(&out, "%+v\n", e) }); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
