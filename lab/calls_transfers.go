//go:build lab

package lab

import "time"

func transferCalls() []Scenario {
	return []Scenario{
		{
			Name: "xfer-blind", Title: "inbound, 101 answers and sends the caller to 102 by ##",
			Scripts: map[string]string{"101": "ring:1|answer|wait:2|dtmf:##102|wait:20", "102": "ring:1|answer|wait:2|hangup"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000051", Dial: "74951234567", Script: "wait:30",
				Want: inbound("79031000051", "101", "answered", 7).audio(NotJudged)}},
		},
		{
			Name: "xfer-blind-refer", Title: "inbound, 104 answers and sends the caller to 109 by its transfer key (REFER)",
			Scripts: map[string]string{"104": "ring:1|answer|wait:2|refer:sip:109@127.0.2.1|wait:20", "109": "ring:1|answer|wait:2|hangup"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000055", Dial: "74951234554", Script: "wait:30",
				Want: inbound("79031000055", "104", "answered", 5).audio(NotJudged)}},
		},
		{
			Name: "xfer-attended", Title: "inbound, 104 calls 109 by *2, talks to it and hangs up: the caller gets 109",
			Scripts: map[string]string{"104": "ring:1|answer|wait:2|dtmf:*2109|wait:4|hangup", "109": "ring:1|answer|wait:5|hangup"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000044", Dial: "74951234554", Script: "wait:30",
				Want: inbound("79031000044", "104", "answered", 10).audio(NotJudged)}},
		},
		{
			Name: "xfer-blonde", Title: "inbound, 104 calls 109 by *2 and hangs up while it rings; 109 answers the caller",
			Scripts: map[string]string{"104": "ring:1|answer|wait:2|dtmf:*2109|wait:2|hangup", "109": "ring:4|answer|wait:2|hangup"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000062", Dial: "74951234554", Script: "wait:30",
				Want: inbound("79031000062", "104", "answered", 9).audio(NotJudged)}},
		},
		{
			Name: "xfer-outside", Title: "inbound, 104 sends the caller to a mobile by ##, answered there",
			Scripts: map[string]string{"104": "ring:1|answer|wait:2|dtmf:##89161000061|wait:20", "89161000061": "ring:1|answer|wait:2|hangup"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000063", Dial: "74951234554", Script: "wait:30",
				Want: inbound("79031000063", "104", "answered", 9).audio(NotJudged)}},
		},
		{
			Name: "xfer-of-outbound", Title: "104 calls outside, and sends the other side to 109 by ##",
			Scripts: map[string]string{"89161000062": "ring:1|answer|wait:30", "109": "ring:1|answer|wait:2|hangup"},
			Calls: []Call{{Phone: "104", Dial: "89161000062", Script: "wait:2|dtmf:##109|wait:20",
				Want: outbound("104", "89161000062", "answered", 7).audio(NotJudged)}},
		},
		{
			Name: "xfer-internal", Title: "106 calls 104, who sends him to 109 by ##",
			Scripts: map[string]string{"104": "ring:1|answer|wait:2|dtmf:##109|wait:20", "109": "ring:1|answer|wait:2|hangup"},
			Calls: []Call{{Phone: "106", Dial: "104", Script: "wait:30",
				Want: internal("106", "104", "answered", 7).audio(NotJudged)}},
		},
		{
			Name: "pickup-group", Title: "inbound rings at 104, 109 takes it by *8",
			Scripts: map[string]string{"104": "ring:30"},
			Calls: []Call{
				{Trunk: "trunk-a", From: "79031000064", Dial: "74951234554", Script: "wait:3|hangup",
					Want: inbound("79031000064", "109", "answered", 3).audio(NotJudged)},
				{After: 2 * time.Second, Phone: "109", Dial: "*8", Script: "wait:20"},
			},
		},
		{
			Name: "pickup-internal", Title: "106 calls 104, 109 takes it by **104",
			Scripts: map[string]string{"104": "ring:30"},
			Calls: []Call{
				{Phone: "106", Dial: "104", Script: "wait:3|hangup",
					Want: internal("106", "109", "answered", 3).audio(NotJudged)},
				{After: 2 * time.Second, Phone: "109", Dial: "**104", Script: "wait:20"},
			},
		},
		{
			Name: "pickup-directed", Title: "inbound rings at 104, 106 takes it by **104",
			Scripts: map[string]string{"104": "ring:30"},
			Calls: []Call{
				{Trunk: "trunk-a", From: "79031000052", Dial: "74951234554", Script: "wait:3|hangup",
					Want: inbound("79031000052", "106", "answered", 3).audio(NotJudged)},
				{After: 2 * time.Second, Phone: "106", Dial: "**104", Script: "wait:20"},
			},
		},
		{
			Name: "park-retrieve", Title: "inbound, 109 parks the caller (##700), 106 takes it from the slot",
			Scripts: map[string]string{"109": "ring:1|answer|wait:2|dtmf:##700|wait:20"},
			Uses:    []string{"parking"},
			Calls: []Call{
				{Trunk: "trunk-a", From: "79031000053", Dial: "74951234559", Script: "wait:30",
					Want: inbound("79031000053", "109", "answered", 10).audio(NotJudged)},
				{After: 8 * time.Second, Phone: "106", Dial: "701", Script: "wait:3|hangup"},
			},
		},
		{
			Name: "park-abandoned", Title: "inbound, 104 parks the caller (##700), who hangs up before anybody takes the call",
			Scripts: map[string]string{"104": "ring:1|answer|wait:2|dtmf:##700|wait:20"},
			Uses:    []string{"parking"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000061", Dial: "74951234554", Script: "wait:8|hangup",
				// What comes after the parking is no conversation.
				Want: inbound("79031000061", "104", "answered", NotJudged).audio(NotJudged)}},
		},
	}
}

func forwardCalls() []Scenario {
	return []Scenario{
		{
			Name: "in-forward-mobile", Title: "105 is forwarded to a mobile: in by trunk-a and out by trunk-a, answered",
			Scripts: map[string]string{"89161112233": "ring:1|answer|wait:3|hangup"},
			Uses:    []string{"105"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000031", Dial: "74951234562", Script: "wait:30",
				Want: inbound("79031000031", "105", "answered", 3)}},
		},
		{
			Name: "int-forward-mobile", Title: "106 calls 105, who is forwarded to a mobile, answered",
			Scripts: map[string]string{"89161112233": "ring:1|answer|wait:2|hangup"},
			Calls: []Call{{Phone: "106", Dial: "105", Script: "wait:30",
				Want: internal("106", "105", "answered", 2)}},
		},
		{
			Name: "in-forward-302", Title: "103's phone forwards (302) to 104, who answers",
			Scripts: map[string]string{"103": "redirect:sip:104@127.0.2.1", "104": "ring:1|answer|wait:2|hangup"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000054", Dial: "74951234553", Script: "wait:30",
				Want: inbound("79031000054", "104", "answered", 2)}},
		},
		{
			Name: "one-touch", Title: "inbound to 106, which nobody records; 106 presses *3",
			Scripts: map[string]string{"106": "ring:1|answer|wait:1|dtmf:*3|wait:3|hangup"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000056", Dial: "74951234561", Script: "wait:30",
				Want: inbound("79031000056", "106", "answered", 5).audio(NotJudged)}},
		},
		{
			Name: "spy", Title: "103 calls 104, they talk for 6 s; 106 listens in by *5104",
			Scripts: map[string]string{"104": "ring:1|answer|wait:20"},
			Calls: []Call{
				{Phone: "103", Dial: "104", Script: "wait:6|hangup", Want: internal("103", "104", "answered", 6)},
				{After: 2 * time.Second, Phone: "106", Dial: "*5104", Script: "wait:3|hangup",
					Want: internal("106", "*5104", "answered", 3).audio(0)},
			},
		},
		{
			Name: "conference", Title: "104 and 106 dial 630, an outsider comes in through the IVR (6)",
			Uses: []string{"conference"},
			Calls: []Call{
				{Phone: "104", Dial: "630", Script: "wait:8|hangup", Want: internal("104", "630", "answered", NotJudged).audio(0)},
				{After: time.Second, Phone: "106", Dial: "630", Script: "wait:7|hangup",
					Want: internal("106", "630", "answered", NotJudged).audio(0)},
				{After: 2 * time.Second, Trunk: "trunk-a", From: "79031000057", Dial: "74951234560", Script: "wait:1.5|dtmf:6|wait:3|hangup",
					Want: inbound("79031000057", "630", "answered", NotJudged).audio(0)},
			},
		},
	}
}
