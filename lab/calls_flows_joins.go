//go:build lab

package lab

import "time"

// Calls that are joined without a transfer.
func joinedCalls() []Scenario {
	return []Scenario{
		{
			Name: "switchboard", Title: "a caller waits in a holding bridge; 142 dials a code and takes him",
			Uses: []string{"lobby"},
			Calls: []Call{flow("79031000641", "25", "wait:30", inbound("79031000641", "142", "answered", 3)),
				{After: 2 * time.Second, Phone: "142", Dial: "526", Script: "wait:3|hangup"}},
		},
		{
			Name: "switchboard-gives-up", Title: "a caller waits in a holding bridge and hangs up",
			Uses:  []string{"lobby"},
			Calls: []Call{flow("79031000642", "25", "wait:2|hangup", inbound("79031000642", "525", "cancelled|no_answer", 0))},
		},
		{
			Name: "join-third", Title: "147 talks to a caller; 148 dials a code that adds it by BridgeAdd: three talk",
			Scripts: map[string]string{"147": "ring:1|answer|wait:20"},
			Calls: []Call{flow("79031000643", "28", "wait:8|hangup", inbound("79031000643", "147", "answered", 8)),
				{After: 4 * time.Second, Phone: "148", Dial: "527", Script: "wait:3|hangup"}},
		},
		{
			Name: "join-takes-over", Title: "147 talks to a caller; 148 dials a code that takes him over by Bridge",
			Scripts: map[string]string{"147": "ring:1|answer|wait:20"},
			Calls: []Call{flow("79031000644", "28", "wait:30", inbound("79031000644", "147", "answered", 6)),
				{After: 4 * time.Second, Phone: "148", Dial: "529", Script: "wait:3|hangup"}},
		},
		{
			Name: "join-by-crm", Title: "143 talks to a caller, 144 listens to its echo; a CRM joins the caller with 144 by AMI Bridge",
			Scripts: map[string]string{"143": "ring:1|answer|wait:20"},
			Acts:    []Act{{After: 4 * time.Second, Do: "bridge PJSIP/trunk-a- PJSIP/144-"}},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000645", Dial: "74951234943", Script: "wait:30", Want: inbound("79031000645", "143", "answered", 6).audio(0)},
				{After: time.Second, Phone: "144", Dial: "*43", Script: "wait:6|hangup"}},
		},
		{
			Name: "barge", Title: "141 calls 149, they talk; 142 dials in and is heard by both (ChanSpy with B)",
			Scripts: map[string]string{"149": "ring:1|answer|wait:20"},
			Calls: []Call{{Phone: "141", Dial: "149", Script: "wait:6|hangup", Want: internal("141", "149", "answered", 6).audio(0)},
				{After: 3 * time.Second, Phone: "142", Dial: "530", Script: "wait:2|hangup", Want: internal("142", "530", "answered", NotJudged).audio(0)}},
		},
		{
			Name: "whisper", Title: "inbound to 149; 142 dials in and is heard by 149 alone (ChanSpy with w)",
			Scripts: map[string]string{"149": "ring:1|answer|wait:20"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000646", Dial: "74951234949", Script: "wait:6|hangup", Want: inbound("79031000646", "149", "answered", 5).audio(0)},
				{After: 3 * time.Second, Phone: "142", Dial: "537", Script: "wait:2|hangup", Want: internal("142", "537", "answered", NotJudged).audio(0)}},
		},
		{
			Name: "pickup-named", Title: "161 (endpoint anna-desk) rings; 109 takes the call by **161",
			Scripts: map[string]string{"161": "ring:30"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000647", Dial: "74951234961", Script: "wait:3|hangup", Want: inbound("79031000647", "109", "answered", 3).audio(0)},
				{After: 2 * time.Second, Phone: "109", Dial: "**161", Script: "wait:20"}},
		},
	}
}

// Transfers that the other tables leave.
func transferFlows() []Scenario {
	return []Scenario{
		{
			Name: "atxfer-by-caller", Title: "141 calls 142; 141, the caller, calls 143 by *2, talks and hangs up: 142 gets 143",
			Scripts: map[string]string{"142": "ring:1|answer|wait:20", "143": "ring:1|answer|wait:6|hangup"},
			Calls: []Call{{Phone: "141", Dial: "142", Script: "wait:2|dtmf:*2143|wait:5|hangup",
				Want: internal("141", "142", "answered", NotJudged).audio(0)}},
		},
		{
			Name: "atxfer-by-caller-nobody", Title: "144 calls 145; 144 calls 199 by *2, which nobody has, and goes on",
			Scripts: map[string]string{"145": "ring:1|answer|wait:20"},
			Calls: []Call{{Phone: "144", Dial: "145", Script: "wait:2|dtmf:*2199|wait:8|hangup",
				Want: internal("144", "145", "answered", NotJudged).audio(0)}},
		},
		{
			Name: "atxfer-by-caller-off", Title: "144 calls outside; 144 calls 162 by *2, whose phone is off, and goes on",
			Scripts: map[string]string{"02": "ring:1|answer|wait:30"},
			Calls: []Call{{Phone: "144", Dial: "02", Script: "wait:2|dtmf:*2162|wait:8|hangup",
				Want: outbound("144", "02", "answered", NotJudged).audio(0)}},
		},
		{
			Name: "atxfer-caller-leaves", Title: "inbound, 146 calls 147 by *2 and talks to it; the caller hangs up meanwhile",
			Scripts: map[string]string{"146": "ring:1|answer|wait:2|dtmf:*2147|wait:8|hangup", "147": "ring:1|answer|wait:20"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000651", Dial: "74951234946", Script: "wait:8|hangup",
				Want: inbound("79031000651", "146", "answered", NotJudged).audio(0)}},
		},
		{
			Name: "blonde-cancelled", Title: "inbound, 146 calls 147 by *2 and hangs up while it rings; the caller hangs up too",
			Scripts: map[string]string{"146": "ring:1|answer|wait:2|dtmf:*2147|wait:3|hangup", "147": "ring:30"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000652", Dial: "74951234946", Script: "wait:9|hangup",
				Want: inbound("79031000652", "146", "answered", NotJudged).audio(0)}},
		},
		{
			Name: "blind-to-busy", Title: "inbound, 148 sends the caller to 149 by ##, which is busy",
			Scripts: map[string]string{"148": "ring:1|answer|wait:2|dtmf:##149|wait:20", "149": "busy"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000653", Dial: "74951234948", Script: "wait:30",
				Want: inbound("79031000653", "148", "answered", NotJudged).audio(0)}},
		},
		{
			Name: "blind-then-gives-up", Title: "inbound, 148 sends the caller to 149 by ##; he hangs up while it rings",
			Scripts: map[string]string{"148": "ring:1|answer|wait:2|dtmf:##149|wait:20", "149": "ring:30"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000654", Dial: "74951234948", Script: "wait:7|hangup",
				Want: inbound("79031000654", "148", "answered", NotJudged).audio(0)}},
		},
		{
			Name: "blind-to-outside", Title: "151 calls 152, which sends it to a number outside by ##",
			Scripts: map[string]string{"152": "ring:1|answer|wait:2|dtmf:##3" + "89161000655|wait:20", "89161000655": "ring:1|answer|wait:2|hangup"},
			Calls: []Call{{Phone: "151", Dial: "152", Script: "wait:30",
				Want: internal("151", "152", "answered", NotJudged).audio(0)}},
		},
		{
			Name: "park-not-back", Title: "inbound, 153 parks the caller (##720); nobody takes him, 154 is rung instead of 153, and answers",
			Scripts: map[string]string{"153": "ring:1|answer|wait:2|dtmf:##720|wait:20", "154": "ring:1|answer|wait:2|hangup"},
			Uses:    []string{"lot-flows"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000656", Dial: "74951234953", Script: "wait:30",
				Want: inbound("79031000656", "153", "answered", NotJudged).audio(0)}},
		},
		{
			Name: "park-two-at-once", Title: "141 and 142 park a caller each (##700); 143 and 144 take them",
			Scripts: map[string]string{"141": "ring:1|answer|wait:2|dtmf:##700|wait:20", "142": "ring:1|answer|wait:3|dtmf:##700|wait:20"},
			Uses:    []string{"parking"},
			Calls: []Call{
				{Trunk: "trunk-a", From: "79031000657", Dial: "74951234941", Script: "wait:30", Want: inbound("79031000657", "141", "answered", NotJudged).audio(0)},
				{Trunk: "trunk-b", From: "79031000658", Dial: "74951234942", Script: "wait:30", Want: inbound("79031000658", "142", "answered", NotJudged).audio(0)},
				{After: 8 * time.Second, Phone: "143", Dial: "701", Script: "wait:2|hangup"},
				{After: 9 * time.Second, Phone: "144", Dial: "702", Script: "wait:2|hangup"},
			},
		},
	}
}

// What a CRM does by AMI, and call files.
func crmFlows() []Scenario {
	return []Scenario{
		{
			Name: "redirect-both-apart", Title: "inbound to 145; a CRM sends the caller to 146 and 145 to 147, at once",
			Scripts: map[string]string{"145": "ring:1|answer|wait:20", "146": "ring:1|answer|wait:3|hangup", "147": "ring:1|answer|wait:2|hangup"},
			Acts:    []Act{{After: 4 * time.Second, Do: "redirect-both PJSIP/trunk-a- 146 PJSIP/145- 147"}},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000661", Dial: "74951234945", Script: "wait:30",
				Want: inbound("79031000661", "145", "answered", NotJudged).audio(0)}},
		},
		{
			Name: "redirect-held", Title: "inbound, 134 answers and holds; a CRM sends the held caller to 151",
			Scripts: map[string]string{"134": "ring:1|answer|wait:1|hold|wait:20", "151": "ring:1|answer|wait:2|hangup"},
			Acts:    []Act{{After: 5 * time.Second, Do: "redirect PJSIP/trunk-a- 151"}},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000662", Dial: "74951234734", Script: "wait:30",
				Want: inbound("79031000662", "134", "answered", NotJudged).audio(NotJudged)}},
		},
		{
			Name: "click-given-up", Title: "AMI Originate: 152 answers, the outsider rings; the CRM hangs 152's channel up",
			Scripts: map[string]string{"152": "ring:1|answer|wait:20", "89161000663": "ring:30"},
			Acts:    []Act{{After: 4 * time.Second, Do: "hangup PJSIP/152-"}},
			Calls: []Call{{Originate: "PJSIP/152", Dial: "4" + "89161000663",
				Want: outbound("152", "489161000663|89161000663", "cancelled|no_answer", 0).audio(0)}},
		},
		{
			Name: "call-file-again", Title: "a call file to 148 with one retry: busy, then answered and put through outside",
			Scripts: map[string]string{"148": "busy~ring:1|answer|wait:20", "89161000664": "ring:1|answer|wait:2|hangup"},
			Calls: []Call{
				{Originate: "PJSIP/148", By: "file", Retries: 1, Dial: "4" + "89161000664", Want: outbound("148", "489161000664|89161000664", "busy", 0)},
				{After: time.Second, Second: true, Originate: "PJSIP/148", Dial: "4" + "89161000664", Want: outbound("148", "489161000664|89161000664", "answered", 2).audio(0)},
			},
		},
	}
}
