//go:build lab

package lab

import "time"

// Phones with a second line of their own: 131 to 134, see sipphone.go.
func referCalls() []Scenario {
	return []Scenario{
		{
			Name: "refer-attended-callee", Title: "inbound, 131 answers, calls 111 on its second line, talks, joins them (REFER with Replaces)",
			Scripts: map[string]string{"131": "ring:1|answer|wait:2|call:111|wait:2|join|wait:5", "111": "ring:1|answer|wait:5|hangup"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000101", Dial: "74951234731", Script: "wait:30",
				Want: inbound("79031000101", "131", "answered", 8).audio(NotJudged)}},
		},
		{
			Name: "refer-attended-caller", Title: "131 calls outside, then 112 on its second line, and joins the two",
			Scripts: map[string]string{"89161000101": "ring:1|answer|wait:30", "112": "ring:1|answer|wait:5|hangup"},
			Calls: []Call{{Phone: "131", Dial: "89161000101", Script: "wait:2|call:112|wait:2|join|wait:5",
				Want: outbound("131", "89161000101", "answered", 8).audio(NotJudged)}},
		},
		{
			Name: "refer-attended-ringing", Title: "inbound, 132 answers, calls 113 and joins them while 113 still rings",
			Scripts: map[string]string{"132": "ring:1|answer|wait:2|ringcall:113|wait:1|join|wait:5", "113": "ring:3|answer|wait:3|hangup"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000103", Dial: "74951234732", Script: "wait:30",
				Want: inbound("79031000103", "132", "answered", 8).audio(NotJudged)}},
		},
		{
			Name: "refer-attended-internal", Title: "114 calls 132, who joins him with 115 (REFER with Replaces)",
			Scripts: map[string]string{"132": "ring:1|answer|wait:2|call:115|wait:2|join|wait:5", "115": "ring:1|answer|wait:5|hangup"},
			Calls: []Call{{Phone: "114", Dial: "132", Script: "wait:30",
				Want: internal("114", "132", "answered", 8).audio(NotJudged)}},
		},
		{
			Name: "refer-join-outside", Title: "133 calls one outside number, then another, and joins them: the second call keeps its record, which ends there",
			Scripts: map[string]string{"89161000104": "ring:1|answer|wait:30", "89161000105": "ring:1|answer|wait:5|hangup"},
			Calls: []Call{
				{Phone: "133", Dial: "89161000104", Script: "wait:2|call:89161000105|wait:2|join|wait:5",
					Want: outbound("133", "89161000104", "answered", 8).audio(NotJudged)},
				{After: 4500 * time.Millisecond, Second: true, Phone: "133", Dial: "89161000105",
					Want: outbound("133", "89161000105", "answered", 2).audio(NotJudged)},
			},
		},
		{
			Name: "refer-blind-caller", Title: "134 calls 116, who answers, and sends him to 117 by REFER",
			Scripts: map[string]string{"116": "ring:1|answer|wait:30", "117": "ring:1|answer|wait:2|hangup"},
			Calls: []Call{{Phone: "134", Dial: "116", Script: "wait:2|refer:117|wait:5",
				Want: internal("134", "116", "answered", 5).audio(NotJudged)}},
		},
		{
			Name: "refer-blind-after-ringing", Title: "inbound, 133 calls 118 on its second line, gives up while it rings, and sends the caller to it by REFER at once",
			Scripts: map[string]string{"133": "ring:1|answer|wait:2|ringcall:118|wait:1|drop|refer:118|wait:5", "118": "ring:2|answer|wait:2|hangup"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000108", Dial: "74951234733", Script: "wait:30",
				Want: inbound("79031000108", "133", "answered", 8).audio(NotJudged)}},
		},
		{
			Name: "refer-customer-younger", Title: "132 calls 119; a customer calls 132, who holds 119, answers and joins the two: each call keeps its record",
			Scripts: map[string]string{"119": "ring:1|answer|wait:9|hangup", "132": "ring:1|answer|wait:2|join|wait:5"},
			Calls: []Call{
				{Phone: "132", Dial: "119", Script: "wait:30", Want: internal("132", "119", "answered", 5).audio(NotJudged)},
				{After: 3 * time.Second, Trunk: "trunk-a", From: "79031000109", Dial: "74951234732", Script: "wait:30",
					Want: inbound("79031000109", "132", "answered", 6).audio(NotJudged)},
			},
		},
		{
			Name: "hold-reinvite", Title: "inbound, 134 answers, holds for 2 s by re-INVITE and goes on",
			Scripts: map[string]string{"134": "ring:1|answer|wait:1|hold|wait:2|resume|wait:2|hangup"},
			Calls: []Call{{Trunk: "trunk-b", From: "79031000107", Dial: "74951234734", Script: "wait:30",
				Want: inbound("79031000107", "134", "answered", 5).audio(NotJudged)}},
		},
	}
}

// Consultation by *2, and what may become of it.
func consultationCalls() []Scenario {
	return []Scenario{
		{
			Name: "atxfer-recall", Title: "inbound, 111 calls 112 by *2 and hangs up; 112 does not answer, 111 is called back and answers",
			Scripts: map[string]string{"111": "ring:1|answer|wait:2|dtmf:*2112|wait:2|hangup~ring:1|answer|wait:2|hangup", "112": "ring:30"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000110", Dial: "74951234711", Script: "wait:60",
				Want: inbound("79031000110", "111", "answered", 12).audio(NotJudged)}},
		},
		{
			Name: "atxfer-recall-missed", Title: "inbound, 117 calls 118 by *2 and hangs up; neither 118 nor 117, who is called back, answers; the PBX tries again until the caller gives up",
			Scripts: map[string]string{"117": "ring:1|answer|wait:2|dtmf:*2118|wait:2|hangup~ring:60", "118": "ring:60"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000117", Dial: "74951234717", Script: "wait:30|hangup",
				Want: inbound("79031000117", "117", "answered", 3).audio(NotJudged)}},
		},
		{
			Name: "atxfer-recall-target", Title: "inbound, 115 calls 116 by *2 and hangs up; 116 does not answer, nor does 115, who is called back; 116 is rung again and answers",
			Scripts: map[string]string{"115": "ring:1|answer|wait:2|dtmf:*2116|wait:2|hangup~ring:60", "116": "ring:60~ring:1|answer|wait:3|hangup"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000118", Dial: "74951234715", Script: "wait:60",
				Want: inbound("79031000118", "115", "answered", 22).audio(NotJudged)}},
		},
		{
			Name: "atxfer-declined", Title: "inbound, 113 calls 114 by *2, who declines; 113 talks on with the caller",
			Scripts: map[string]string{"113": "ring:1|answer|wait:2|dtmf:*2114|wait:7|hangup", "114": "ring:1|decline"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000111", Dial: "74951234713", Script: "wait:60",
				Want: inbound("79031000111", "113", "answered", 10).audio(NotJudged)}},
		},
		{
			Name: "atxfer-busy", Title: "inbound, 115 calls 116 by *2, who is busy; 115 talks on with the caller",
			Scripts: map[string]string{"115": "ring:1|answer|wait:2|dtmf:*2116|wait:7|hangup", "116": "busy"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000112", Dial: "74951234715", Script: "wait:60",
				Want: inbound("79031000112", "115", "answered", 10).audio(NotJudged)}},
		},
		{
			Name: "atxfer-aborted", Title: "inbound, 117 consults 118 by *2, comes back by *1 and talks on with the caller",
			Scripts: map[string]string{"117": "ring:1|answer|wait:2|dtmf:*2118|wait:4|dtmf:*1|wait:3|hangup", "118": "ring:1|answer|wait:30"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000113", Dial: "74951234717", Script: "wait:60",
				Want: inbound("79031000113", "117", "answered", 11).audio(NotJudged)}},
		},
		{
			Name: "atxfer-threeway", Title: "inbound, 111 consults 112 by *2, makes it three by *3, then leaves; 112 and the caller talk on",
			Scripts: map[string]string{"111": "ring:1|answer|wait:2|dtmf:*2112|wait:4|dtmf:*3|wait:3|hangup", "112": "ring:1|answer|wait:9|hangup"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000114", Dial: "74951234711", Script: "wait:60",
				Want: inbound("79031000114", "111", "answered", 13).audio(NotJudged)}},
		},
		{
			Name: "atxfer-outside", Title: "inbound, 113 consults a mobile by *2, then hangs up: the caller gets the mobile",
			Scripts: map[string]string{"113": "ring:1|answer|wait:2|dtmf:*289161000115|wait:4|hangup", "89161000115": "ring:1|answer|wait:5|hangup"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000115", Dial: "74951234713", Script: "wait:60",
				Want: inbound("79031000115", "113", "answered", 12).audio(NotJudged)}},
		},
		{
			Name: "atxfer-queue", Title: "inbound, 115 calls the queue 614 by *2 and hangs up while 113 rings there; 113 answers the caller",
			Scripts: map[string]string{"115": "ring:1|answer|wait:2|dtmf:*2614|wait:2|hangup", "113": "ring:4|answer|wait:3|hangup", "114": "ring:30"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000116", Dial: "74951234715", Script: "wait:60",
				Want: inbound("79031000116", "115", "answered", 11).audio(NotJudged)}},
		},
	}
}

func moreTransfers() []Scenario {
	return []Scenario{
		{
			Name: "xfer-queue", Title: "inbound, 116 sends the caller to the queue 614 by ##, 113 answers",
			Scripts: map[string]string{"116": "ring:1|answer|wait:2|dtmf:##614|wait:20", "113": "ring:1|answer|wait:2|hangup", "114": "ring:30"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000120", Dial: "74951234716", Script: "wait:30",
				Want: inbound("79031000120", "116", "answered", 7).audio(NotJudged)}},
		},
		{
			Name: "xfer-noanswer", Title: "inbound, 117 sends the caller to 118 by ##, who does not answer: the PBX ends the call",
			Scripts: map[string]string{"117": "ring:1|answer|wait:2|dtmf:##118|wait:20", "118": "ring:30"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000121", Dial: "74951234717", Script: "wait:30",
				// The last conversation ends with the transfer.
				Want: inbound("79031000121", "117", "answered", 4).audio(NotJudged)}},
		},
		{
			Name: "xfer-unregistered", Title: "inbound, 111 sends the caller to 107 by ##, whose phone is not registered",
			Scripts: map[string]string{"111": "ring:1|answer|wait:2|dtmf:##107|wait:20"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000122", Dial: "74951234711", Script: "wait:30",
				Want: inbound("79031000122", "111", "answered", 4).audio(NotJudged)}},
		},
		{
			Name: "xfer-nobody", Title: "inbound, 112 sends the caller by ## to 199, which nobody has",
			Scripts: map[string]string{"112": "ring:1|answer|wait:2|dtmf:##199|wait:20"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000123", Dial: "74951234712", Script: "wait:30",
				Want: inbound("79031000123", "112", "answered", 4).audio(NotJudged)}},
		},
		{
			Name: "xfer-twice", Title: "inbound, 115 sends the caller to 116 by ##, who sends him on to 117",
			Scripts: map[string]string{"115": "ring:1|answer|wait:2|dtmf:##116|wait:20", "116": "ring:1|answer|wait:2|dtmf:##117|wait:20",
				"117": "ring:1|answer|wait:2|hangup"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000124", Dial: "74951234715", Script: "wait:30",
				Want: inbound("79031000124", "115", "answered", 11).audio(NotJudged)}},
		},
		{
			Name: "park-timeout", Title: "inbound, 112 parks the caller (##700); nobody takes the call, 112 is called back and answers",
			Scripts: map[string]string{"112": "ring:1|answer|wait:2|dtmf:##700|wait:20~ring:1|answer|wait:2|hangup"},
			Uses:    []string{"parking"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000125", Dial: "74951234712", Script: "wait:60",
				Want: inbound("79031000125", "112", "answered", NotJudged).audio(NotJudged)}},
		},
		{
			Name: "redirect", Title: "inbound, 113 talks; the CRM sends the caller to 114 by AMI Redirect",
			Scripts: map[string]string{"113": "ring:1|answer|wait:30", "114": "ring:1|answer|wait:2|hangup"},
			Acts:    []Act{{After: 3 * time.Second, Do: "redirect PJSIP/trunk-a- 114"}},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000126", Dial: "74951234713", Script: "wait:30",
				Want: inbound("79031000126", "113", "answered", 5).audio(NotJudged)}},
		},
		{
			Name: "ami-hangup", Title: "inbound, 118 talks; the CRM ends the call by AMI Hangup",
			Scripts: map[string]string{"118": "ring:1|answer|wait:30"},
			Acts:    []Act{{After: 4 * time.Second, Do: "hangup PJSIP/trunk-a-"}},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000127", Dial: "74951234718", Script: "wait:30",
				Want: inbound("79031000127", "118", "answered", 3).audio(0)}},
		},
		{
			Name: "ami-hangup-ringing", Title: "115 calls 116; the CRM ends the call by AMI Hangup while it rings",
			Scripts: map[string]string{"116": "ring:30"},
			Acts:    []Act{{After: 2 * time.Second, Do: "hangup PJSIP/115-"}},
			Calls: []Call{{Phone: "115", Dial: "116",
				// Whether the calling side hung up or its call was ended for it, the rules do not say.
				Want: internal("115", "116", "cancelled|no_answer", 0)}},
		},
		{
			Name: "pickup-queue", Title: "a queue call rings at 113; 117 takes it by **113",
			Scripts: map[string]string{"113": "ring:30", "114": "ring:30"},
			Calls: []Call{
				{Trunk: "trunk-a", From: "79031000128", Dial: "74951234754", Script: "wait:3|hangup",
					Want: inbound("79031000128", "117", "answered", 3).audio(NotJudged)},
				{After: 2 * time.Second, Phone: "117", Dial: "**113", Script: "wait:20"},
			},
		},
		{
			Name: "forward-302-outside", Title: "inbound, 114's phone forwards (302) to a mobile, answered there",
			Scripts: map[string]string{"114": "redirect:sip:89161000129@127.0.2.1", "89161000129": "ring:1|answer|wait:2|hangup"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000129", Dial: "74951234714", Script: "wait:30",
				Want: inbound("79031000129", "114", "answered", 2).audio(NotJudged)}},
		},
		{
			Name: "forward-loop", Title: "inbound, 116's phone forwards to 117, 117's to 116: the PBX gives up",
			Scripts: map[string]string{"116": "redirect:sip:117@127.0.2.1", "117": "redirect:sip:116@127.0.2.1"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000130", Dial: "74951234716",
				// No phone rang, and none refused in words that the rules know.
				Want: inbound("79031000130", "116", "failed|busy|no_answer", 0)}},
		},
	}
}
