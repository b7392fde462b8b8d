package backfill_test

import (
	"strings"
	"testing"

	"github.com/voipd/voipd/internal/backfill"
	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/record"
)

// answered is the CDR of an outside call that 101 answered, in the columns
// calldate … uniqueid; a table of it is written as strangers do.
const (
	cdrNames    = "calldate,clid,src,dst,dcontext,channel,dstchannel,lastapp,lastdata,duration,billsec,disposition,uniqueid"
	cdrAnswered = `2026-11-22 16:49:52,"""Ann"" <79034440011>",79034440011,101,ext-local,PJSIP/provider-0000000f,PJSIP/101-00000010,Dial,PJSIP/101,24,20,ANSWERED,1795366192.23`
)

// TestStrangeTables: rows as other tools and PBXs write them.
func TestStrangeTables(t *testing.T) {
	missed := strings.Replace(cdrAnswered, "24,20,ANSWERED", "24,0,NOANSWER", 1)
	noSource := func(s string) string {
		s = strings.Replace(s, ",src,", ",", 1)
		return strings.Replace(s, ",79034440011,", ",", 1)
	}
	for _, row := range []struct {
		name, text       string
		disposition      record.Disposition
		source, dstPhone string
	}{
		{"as Asterisk", cdrNames + "\n" + cdrAnswered, record.Answered, "79034440011", "101"},
		{"a byte order mark", "\ufeff" + cdrNames + "\n" + cdrAnswered, record.Answered, "79034440011", "101"},
		{"semicolons", strings.ReplaceAll(cdrNames+"\n"+cdrAnswered, ",", ";"), record.Answered, "79034440011", "101"},
		{"a caller ID and no src", noSource(cdrNames) + "\n" + noSource(cdrAnswered), record.Answered, "79034440011", "101"},
		{"padded", cdrNames + "\n" + strings.Replace(cdrAnswered, "ANSWERED", "ANSWERED    ", 1), record.Answered, "79034440011", "101"},
		{"MikoPBX's NOANSWER", cdrNames + "\n" + missed, record.NoAnswer, "79034440011", "101"},
		{"FreePBX's did", cdrNames + ",did\n" + strings.NewReplacer(",101,", ",s,", ",PJSIP/101-00000010,Dial,PJSIP/101,24,20,ANSWERED", ",,BackGround,welcome,24,0,NO ANSWER").Replace(cdrAnswered) + ",74950001122",
			record.Failed, "79034440011", "74950001122"},
	} {
		m := record.New(numbers.Default())
		var changes []record.Change
		stats, err := backfill.ReadCDR(strings.NewReader(row.text+"\n"), backfill.Options{}, func(e record.Event) { changes = m.Apply(changes, e) })
		all := record.Records(nil, changes)
		if err != nil || stats.Malformed > 0 || len(all) != 1 {
			t.Errorf("%s: %d records, %+v (%v)", row.name, len(all), stats, err)
			continue
		}
		if r := all[0]; r.SrcPhone != row.source || r.DstPhone != row.dstPhone || r.Disposition != row.disposition {
			t.Errorf("%s: %s → %s %s", row.name, r.SrcPhone, r.DstPhone, r.Disposition)
		}
	}
}

// TestNumberedEvents: a CEL table whose eventtype is a number says the same as one
// with names.
func TestNumberedEvents(t *testing.T) {
	named := strings.Join(lines(t, captures+"22/in-answered/cel.csv.gz"), "\n")
	numbered := strings.NewReplacer(`"CHAN_START"`, `"1"`, `"CHAN_END"`, `"2"`, `"HANGUP"`, `"3"`, `"ANSWER"`, `"4"`, `"APP_START"`, `"5"`, `"APP_END"`, `"6"`,
		`"BRIDGE_ENTER"`, `"7"`, `"BRIDGE_EXIT"`, `"8"`, `"LINKEDID_END"`, `"14"`).Replace(named)
	if numbered == named {
		t.Fatal("nothing was numbered")
	}
	var got [2][]record.Event
	for i, text := range []string{named, numbered} {
		if _, err := backfill.ReadCEL(strings.NewReader(text), backfill.Options{}, func(e record.Event) { got[i] = append(got[i], e) }); err != nil {
			t.Fatal(err)
		}
	}
	if len(got[0]) == 0 || len(got[0]) != len(got[1]) {
		t.Fatalf("%d facts by names, %d by numbers", len(got[0]), len(got[1]))
	}
	for i := range got[0] {
		if got[0][i] != got[1][i] {
			t.Fatalf("fact %d: %+v, want %+v", i, got[1][i], got[0][i])
		}
	}
}

// TestOldBridges: Asterisk 11 and older write one row where two begin to talk, and
// no JSON; a table without the column peer says the same.
func TestOldBridges(t *testing.T) {
	const (
		names  = "eventtype,eventtime,cid_num,exten,context,channame,appname,appdata,uniqueid,linkedid,peer,extra"
		caller = ",79034440011,101,ext-local,SIP/provider-0000000f,Dial,SIP/101,L.1,L.1,"
		phone  = ",101,s,from-internal,SIP/101-00000010,,,L.2,L.1,"
	)
	rows := []string{
		"CHAN_START,1793000000.0,79034440011,74950001122,from-trunk,SIP/provider-0000000f,,,L.1,L.1,,",
		"APP_START,1793000001.0" + caller + ",", "CHAN_START,1793000001.0" + phone + ",",
		"ANSWER,1793000004.0" + phone + ",", "ANSWER,1793000004.1" + caller + ",",
		"BRIDGE_START,1793000004.2" + caller + "SIP/101-00000010,", "BRIDGE_END,1793000024.2" + caller + "SIP/101-00000010,",
		"HANGUP,1793000024.3" + phone + `,"16,SIP/provider-0000000f,"`, "CHAN_END,1793000024.3" + phone + ",",
		"HANGUP,1793000024.4" + caller + `,"16,SIP/provider-0000000f,ANSWER"`, "CHAN_END,1793000024.4" + caller + ",",
	}
	for name, without := range map[string]string{"with the peer": "", "without": "SIP/101-00000010,"} {
		text := names
		for _, row := range rows {
			if strings.HasPrefix(row, "BRIDGE") && without != "" {
				row = strings.TrimSuffix(row, without) + ","
			}
			text += "\n" + row
		}
		m := record.New(numbers.Default())
		var changes []record.Change
		stats, err := backfill.ReadCEL(strings.NewReader(text), backfill.Options{}, func(e record.Event) { changes = m.Apply(changes, e) })
		all := record.Records(nil, changes)
		if err != nil || stats.Malformed > 0 || len(all) != 1 || all[0].Disposition != record.Answered || all[0].Duration != 20 || all[0].DstPhone != "101" {
			t.Errorf("%s: %+v %+v (%v)", name, stats, all, err)
		}
	}
}

// TestNoTime: a row whose time is no time is malformed, and costs only itself.
func TestNoTime(t *testing.T) {
	for _, at := range []string{"4026-11-22 16:49:52", "0001-01-01 00:00:00", "1066-10-14 09:00:00", "99999999999", "-1"} {
		text := cdrNames + "\n" + strings.Replace(cdrAnswered, "2026-11-22 16:49:52", at, 1) + "\n" + strings.Replace(cdrAnswered, "1795366192.23", "1795366192.99", 1)
		m := record.New(numbers.Default())
		var changes []record.Change
		stats, err := backfill.ReadCDR(strings.NewReader(text), backfill.Options{}, func(e record.Event) { changes = m.Apply(changes, e) })
		all := record.Records(nil, changes)
		if err != nil || stats.Malformed != 1 || stats.Rows != 1 || len(all) != 1 || all[0].CallID != "1795366192.99" {
			t.Errorf("%s: %+v, %d records (%v)", at, stats, len(all), err)
		}
	}
}
