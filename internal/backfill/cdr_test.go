package backfill_test

import (
	"strings"
	"testing"

	"github.com/voipd/voipd/internal/backfill"
)

// cdrTable are the columns of the rows in these tests.
const cdrTable = "calldate,cnum,src,dst,channel,dstchannel,lastapp,lastdata,duration,billsec,disposition,uniqueid,linkedid,did\n"

// TestRowsTogether: what the rows of a call say together, and none of them alone.
func TestRowsTogether(t *testing.T) {
	const early = "2026-11-20 10:00:"
	for _, c := range []struct{ what, want, rows string }{
		{"a caller who gave up a dialling with time left", "in 79031000041 103 cancelled 0",
			early + `00,,79031000041,103,PJSIP/trunk-a-1,PJSIP/103-2,Dial,"PJSIP/103,40,tT",7,0,NO ANSWER,a.1,a.1,74951234567`},
		{"a dialling whose time was over", "in 79031000041 103 no_answer 0",
			early + `00,,79031000041,103,PJSIP/trunk-a-1,PJSIP/103-2,Dial,"PJSIP/103,7,tT",7,0,NO ANSWER,a.1,a.1,74951234567`},
		{"a dialling without a limit", "internal 105 103 cancelled 0",
			early + `00,,105,103,PJSIP/105-1,PJSIP/103-2,Dial,"PJSIP/103,,tT",9,0,NO ANSWER,a.1,a.1,`},
		{"a phone that refused at once", "in 79031000041 103 no_answer 0",
			early + `00,,79031000041,103,PJSIP/trunk-a-1,PJSIP/103-2,Dial,"PJSIP/103,40,tT",1,0,NO ANSWER,a.1,a.1,74951234567`},
		{"a number outside, whose network gave up, or the caller", "out 105 89160000031 no_answer 0",
			early + `00,,105,89160000031,PJSIP/105-1,PJSIP/trunk-a-2,Dial,"PJSIP/89160000031@trunk-a,300,T",25,0,NO ANSWER,a.1,a.1,`},
		{"the dialplan went on to a second phone, which rang out", "in 79031000041 103 no_answer 0",
			early + `00,,79031000041,103,PJSIP/trunk-a-1,PJSIP/103-2,Dial,"PJSIP/103,40,tT",5,0,NO ANSWER,a.1,a.1,74951234567` + "\n" +
				early + `05,,79031000041,104,PJSIP/trunk-a-1,PJSIP/104-3,Dial,"PJSIP/104,10,tT",10,0,NO ANSWER,a.1,a.1,74951234567`},
		{"a queue that was left early", "in 79031000041 103 cancelled 0",
			early + `00,,79031000041,600,PJSIP/trunk-a-1,PJSIP/103-2,Queue,"600,t,,,60,,,",20,20,NO ANSWER,a.1,a.1,74951234567` + "\n" +
				early + `01,,79031000041,600,PJSIP/trunk-a-1,PJSIP/104-3,Queue,"600,t,,,60,,,",20,20,NO ANSWER,a.1,a.1,74951234567`},
		{"a queue whose time was over", "in 79031000041 103 no_answer 0",
			early + `00,,79031000041,600,PJSIP/trunk-a-1,PJSIP/103-2,Queue,"600,t,,,20,,,",20,20,NO ANSWER,a.1,a.1,74951234567`},
		{"a colleague took the call, and the phone that rang reads as answered", "in 79031000041 106 answered 30",
			early + `00,,79031000041,103,PJSIP/trunk-a-1,PJSIP/103-2,Dial,"PJSIP/103,40,tT",4,0,ANSWERED,a.1,a.1,74951234567` + "\n" +
				early + `04,,79031000041,103,PJSIP/trunk-a-1,PJSIP/106-3,Dial,"PJSIP/103,40,tT",30,30,ANSWERED,a.1,a.1,74951234567`},
		{"src is what the trunk was shown", "in 79031000041 103 answered 8",
			early + `00,79031000041,74951234567,103,PJSIP/trunk-a-1,PJSIP/103-2,Dial,"PJSIP/103,40,T",12,8,ANSWERED,a.1,a.1,74951234567`},
		{"a consultation on hold, and back to the caller", "in 79031000041 103 answered 50",
			early + `00,,79031000041,103,PJSIP/trunk-a-1,PJSIP/103-2,Dial,"PJSIP/103,40,tT",52,50,ANSWERED,a.1,a.1,74951234567` + "\n" +
				early + `10,,103,106,PJSIP/103-2,PJSIP/106-3,Dial,"PJSIP/106,40,tT",20,15,ANSWERED,a.2,a.1,`},
		{"the PBX rang both sides by a Local channel", "out 103 89160000031 answered 20",
			early + `00,103,74951234567,89160000031,Local/103@from-internal-1;1,PJSIP/trunk-a-3,Dial,"PJSIP/89160000031@trunk-a,300,T",9,6,ANSWERED,a.1,a.1,` + "\n" +
				early + `00,103,89160000031,103,Local/103@from-internal-1;2,PJSIP/103-2,Dial,"PJSIP/103,8,",9,6,ANSWERED,a.2,a.1,` + "\n" +
				early + `09,,103,,PJSIP/103-2,PJSIP/trunk-a-3,Return,,20,20,ANSWERED,a.3,a.1,`},
		{"a conference, whose second member came late", "internal 103 630 answered 10; in 79031000041 630 answered 10",
			early + `00,,103,STARTMEETME,PJSIP/103-1,PJSIP/trunk-a-2,ConfBridge,"630,,,",40,40,ANSWERED,a.1,a.1,` + "\n" +
				early + `28,,79031000041,STARTMEETME,PJSIP/trunk-a-2,,ConfBridge,"630,,,",2,2,ANSWERED,a.2,a.2,74951234567`},
	} {
		t.Run(c.what, func(t *testing.T) {
			got, _ := tell(t, backfill.ReadCDR, strings.Split(cdrTable+c.rows, "\n"))
			if said := brief(got); said != c.want {
				t.Errorf("got %s, want %s", said, c.want)
			}
			for _, r := range got {
				if len(r.Details.Approximate) == 0 {
					t.Errorf("%s is told as certain", r.CallID)
				}
			}
		})
	}
}

// TestNoLinkedIDs: without linkedids the halves of a Local channel make two calls'
// rows one, in whatever order they come.
func TestNoLinkedIDs(t *testing.T) {
	const names = "calldate,src,dst,channel,dstchannel,lastapp,lastdata,duration,billsec,disposition,uniqueid\n"
	caller := `2026-11-20 10:00:00,79031000041,601,PJSIP/trunk-a-1,Local/105@from-internal-7;1,Dial,"Local/105@from-internal/n,20",30,25,ANSWERED,1.1`
	member := `2026-11-20 10:00:00,79031000041,105,Local/105@from-internal-7;2,PJSIP/105-2,Dial,"PJSIP/105,20",30,25,ANSWERED,1.3`
	for _, rows := range []string{caller + "\n" + member, member + "\n" + caller} {
		got, _ := tell(t, backfill.ReadCDR, strings.Split(names+rows, "\n"))
		if said := brief(got); said != "in 79031000041 105 answered 25" {
			t.Errorf("got %s of\n%s", said, rows)
		}
	}
}

// TestClockSetInACall: a call that goes on at the change back to winter time, in
// local dates: its duration tells.
func TestClockSetInACall(t *testing.T) {
	const names = "start,answer,end,src,dst,channel,dstchannel,lastapp,lastdata,duration,billsec,disposition,uniqueid\n"
	const rest = `,79031000041,103,PJSIP/trunk-a-1,PJSIP/103-2,Dial,"PJSIP/103,20",`
	for _, c := range []struct{ what, row, want string }{
		{"set back in the conversation", "2026-10-25 02:59:30,2026-10-25 02:59:40,2026-10-25 02:00:50" + rest + "80,70,ANSWERED,1.1", "in 79031000041 103 answered 70"},
		{"set back while it rang", "2026-10-25 02:59:50,2026-10-25 02:00:05,2026-10-25 02:01:00" + rest + "70,55,ANSWERED,1.1", "in 79031000041 103 answered 55"},
		{"set back, and it ends later all the same", "2026-10-25 02:10:00,2026-10-25 02:10:10,2026-10-25 02:40:10" + rest + "5410,5400,ANSWERED,1.1", "in 79031000041 103 answered 5400"},
		{"set back, and nobody answered", "2026-10-25 02:59:50,,2026-10-25 02:00:10" + rest + "20,0,NO ANSWER,1.1", "in 79031000041 103 no_answer 0"},
		{"not set", "2026-10-24 02:10:00,2026-10-24 02:10:10,2026-10-24 02:10:40" + rest + "40,30,ANSWERED,1.1", "in 79031000041 103 answered 30"},
	} {
		got, stats := tell(t, backfill.ReadCDR, strings.Split(names+c.row, "\n"))
		if said := brief(got); said != c.want || stats.Malformed > 0 {
			t.Errorf("%s: got %s, %+v, want %s", c.what, said, stats, c.want)
		}
	}
}
