//go:build lab

package lab

import "time"

// The queue desk (612) rings 111 and 112 together, 4 s a round; line (614)
// rings 113, then 114.
func moreQueues() []Scenario {
	return []Scenario{
		{
			Name: "queue-second-round", Title: "queue desk: nobody answers in the first round, 112 does in the second",
			Scripts: map[string]string{"111": "ring:30", "112": "ring:30~ring:1|answer|wait:2|hangup"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000140", Dial: "74951234752", Script: "wait:30",
				Want: inbound("79031000140", "112", "answered", 2).audio(0)}},
		},
		{
			Name: "queue-same-instant", Title: "queue desk: 111 and 112 answer in the same instant, one of them gets the call",
			Scripts: map[string]string{"111": "ring:1|answer|wait:20", "112": "ring:1|answer|wait:20"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000141", Dial: "74951234752", Script: "wait:4|hangup",
				Want: inbound("79031000141", "111|112", "answered", 3).audio(0)}},
		},
		{
			Name: "queue-all-paused", Title: "queue desk: both agents are paused, nobody is rung, the queue gives up",
			Uses: []string{"111", "112"},
			Acts: []Act{{Do: "pause desk 111"}, {Do: "pause desk 112"},
				{After: 14 * time.Second, Do: "unpause desk 111"}, {After: 14 * time.Second, Do: "unpause desk 112"}},
			Calls: []Call{{After: time.Second, Trunk: "trunk-a", From: "79031000142", Dial: "74951234752", Script: "wait:30",
				// The number asked for: the queue's, or the one outside that leads to it.
				Want: inbound("79031000142", "612|74951234752", "no_answer", 0).audio(0)}},
		},
		{
			Name: "queue-transfer-out", Title: "queue line: 113 answers and sends the caller to 115 by ##",
			Scripts: map[string]string{"113": "ring:1|answer|wait:2|dtmf:##115|wait:20", "114": "ring:30", "115": "ring:1|answer|wait:2|hangup"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000143", Dial: "74951234754", Script: "wait:30",
				Want: inbound("79031000143", "113", "answered", 7).audio(NotJudged)}},
		},
		{
			Name: "queue-agent-second", Title: "queue line: 113 does not answer, 114 does",
			Scripts: map[string]string{"113": "ring:30", "114": "ring:1|answer|wait:2|hangup"},
			Calls: []Call{{Trunk: "trunk-b", From: "79031000144", Dial: "74951234754", Script: "wait:30",
				Want: inbound("79031000144", "114", "answered", 2)}},
		},
		{
			Name: "queue-all-busy", Title: "queue line: both agents are busy until the queue gives up",
			Scripts: map[string]string{"113": "busy", "114": "busy"},
			Calls: []Call{{Trunk: "trunk-b", From: "79031000145", Dial: "74951234754",
				Want: inbound("79031000145", "113", "busy", 0)}},
		},
		{
			Name: "rg-same-instant", Title: "a ring group of 116 and 117: both answer in the same instant",
			Scripts: map[string]string{"116": "ring:1|answer|wait:20", "117": "ring:1|answer|wait:20"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000146", Dial: "74951234770", Script: "wait:3|hangup",
				Want: inbound("79031000146", "116|117", "answered", 3)}},
		},
		{
			Name: "devices", Title: "119 has two devices, the second one answers",
			Scripts: map[string]string{"119": "ring:30", "1191": "ring:1|answer|wait:20"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000147", Dial: "74951234719", Script: "wait:3|hangup",
				Want: inbound("79031000147", "119", "answered", 3)}},
		},
		{
			Name: "devices-noanswer", Title: "115 calls 119, none of the two devices answers",
			Scripts: map[string]string{"119": "ring:30", "1191": "ring:30"},
			Calls: []Call{{Phone: "115", Dial: "119",
				Want: internal("115", "119", "no_answer", 0)}},
		},
	}
}

func moreServices() []Scenario {
	return []Scenario{
		{
			Name: "ivr-two-menus", Title: "IVR: the caller presses 1, then 3 in the menu below, 118 answers; nobody records",
			Scripts: map[string]string{"118": "ring:1|answer|wait:2|hangup"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000150", Dial: "74951234760", Script: "wait:1.5|dtmf:1|wait:2|dtmf:3|wait:20",
				Want: inbound("79031000150", "118", "answered", 2).audio(0)}},
		},
		{
			Name: "ivr-wrong-key", Title: "IVR: the caller presses 9, which is nothing, hears the menu again and hangs up",
			Calls: []Call{{Trunk: "trunk-a", From: "79031000151", Dial: "74951234760", Script: "wait:1.5|dtmf:9|wait:3|hangup",
				Want: inbound("79031000151", "74951234760", "cancelled", 0)}},
		},
		{
			Name: "ivr-dials-extension", Title: "IVR: the caller dials the extension 118 in the menu, answered",
			Scripts: map[string]string{"118": "ring:1|answer|wait:2|hangup"},
			Calls: []Call{{Trunk: "trunk-b", From: "79031000152", Dial: "74951234760", Script: "wait:1.5|dtmf:118|wait:20",
				Want: inbound("79031000152", "118", "answered", 2).audio(0)}},
		},
		{
			Name: "ivr-queue", Title: "IVR: the caller presses 2, the queue line rings 113, who answers",
			Scripts: map[string]string{"113": "ring:1|answer|wait:2|hangup", "114": "ring:30"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000153", Dial: "74951234760", Script: "wait:1.5|dtmf:2|wait:20",
				Want: inbound("79031000153", "113", "answered", 2)}},
		},
		{
			Name: "voicemail-heard", Title: "106 listens to the mailbox (*97), which counts as answered",
			Calls: []Call{{Phone: "106", Dial: "*97", Script: "wait:4|hangup",
				Want: internal("106", "*97", "answered", 4).audio(0)}},
		},
		{
			Name: "in-hostile-name", Title: "inbound with a name that is markup, a formula and a path",
			Scripts: map[string]string{"117": "ring:1|answer|wait:20"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000154", Dial: "74951234717", Script: "wait:2|hangup",
				Named: "=cmd|<script>alert(1)</script>../../etc/passwd;--", Want: inbound("79031000154", "117", "answered", 2)}},
		},
		{
			Name: "in-cut-name", Title: "inbound with a name that is cut in the middle of a character",
			Scripts: map[string]string{"116": "ring:1|answer|wait:20"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000155", Dial: "74951234716", Script: "wait:2|hangup",
				Named: "А1 " + "ЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩ", Want: inbound("79031000155", "116", "answered", 2)}},
		},
		{
			Name: "in-plus", Title: "inbound from a number with a plus",
			Scripts: map[string]string{"115": "ring:1|answer|wait:20"},
			Calls: []Call{{Trunk: "trunk-a", From: "+79031000156", Dial: "74951234715", Script: "wait:2|hangup",
				Want: inbound("+79031000156|79031000156", "115", "answered", 2)}},
		},
		{
			Name: "in-twice", Title: "the same caller calls 114 twice: first busy, then answered",
			Scripts: map[string]string{"114": "busy~ring:1|answer|wait:20"},
			Calls: []Call{
				{Trunk: "trunk-a", From: "79031000157", Dial: "74951234714",
					Want: inbound("79031000157", "114", "busy", 0)},
				{After: 2 * time.Second, Trunk: "trunk-a", From: "79031000157", Dial: "74951234714", Script: "wait:2|hangup",
					Want: inbound("79031000157", "114", "answered", 2)},
			},
		},
		{
			Name: "in-dnd", Title: "inbound to 117, whose phone does not want to be disturbed (480 at once)",
			Scripts: map[string]string{"117": "480"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000158", Dial: "74951234717",
				Want: inbound("79031000158", "117", "no_answer", 0)}},
		},
		{
			Name: "record-ami", Title: "inbound to 118, which nobody records; the CRM records by AMI MixMonitor",
			Scripts: map[string]string{"118": "ring:1|answer|wait:30"},
			Acts:    []Act{{After: 2500 * time.Millisecond, Do: "record PJSIP/trunk-a- crm-79031000159.wav"}},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000159", Dial: "74951234718", Script: "wait:5|hangup",
				Want: inbound("79031000159", "118", "answered", 5).audio(NotJudged)}},
		},
		{
			Name: "record-paused", Title: "inbound to 116; the recording is paused for a second in the middle",
			Scripts: map[string]string{"116": "ring:1|answer|wait:30"},
			Acts:    []Act{{After: 2500 * time.Millisecond, Do: "mute PJSIP/trunk-a-"}, {After: 3500 * time.Millisecond, Do: "unmute PJSIP/trunk-a-"}},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000160", Dial: "74951234716", Script: "wait:4|hangup",
				Want: inbound("79031000160", "116", "answered", 4)}},
		},
	}
}

// The PBX begins the call.
func machineCalls() []Scenario {
	return []Scenario{
		{
			Name: "ari-originate", Title: "ARI POST /channels: PJSIP/115, then 89161000171; both answer",
			Scripts: map[string]string{"115": "ring:1|answer|wait:20", "89161000171": "ring:1|answer|wait:2|hangup"},
			Calls: []Call{{Originate: "PJSIP/115", By: "ari", Dial: "89161000171",
				Want: outbound("115", "89161000171", "answered", 2)}},
		},
		{
			Name: "ari-originate-noanswer", Title: "ARI POST /channels: 116 does not pick up, the outsider is never dialled",
			Scripts: map[string]string{"116": "ring:30"},
			Calls: []Call{{Originate: "PJSIP/116", By: "ari", Dial: "89161000172",
				Want: outbound("116", "89161000172", "no_answer", 0)}},
		},
		{
			Name: "stasis", Title: "an ARI application without dialplan rings 117, then 118, and bridges them",
			Scripts: map[string]string{"117": "ring:1|answer|wait:20", "118": "ring:1|answer|wait:3|hangup"},
			Uses:    []string{"stasis"},
			Calls: []Call{{Originate: "PJSIP/117", By: "stasis", Dial: "PJSIP/118",
				Want: internal("117", "118", "answered", 3).audio(0)}},
		},
		{
			Name: "stasis-noanswer", Title: "an ARI application rings 117, then 118, who does not answer",
			Scripts: map[string]string{"117": "ring:1|answer|wait:20", "118": "ring:30"},
			Uses:    []string{"stasis"},
			Calls: []Call{{Originate: "PJSIP/117", By: "stasis", Dial: "PJSIP/118",
				Want: internal("117", "118", "no_answer", 0).audio(0)}},
		},
		{
			Name: "callback", Title: "call-back: the PBX rings 89161000173 first, who answers, then 115, who answers",
			Scripts: map[string]string{"89161000173": "ring:1|answer|wait:20", "115": "ring:1|answer|wait:3|hangup"},
			Uses:    []string{"outside first"},
			Calls: []Call{{Originate: "PJSIP/89161000173@trunk-a", Dial: "115",
				Want: outbound("115", "89161000173", "answered", 3)}},
		},
		{
			Name: "callback-noanswer", Title: "call-back: 89161000174 does not answer, 115 is never rung",
			Scripts: map[string]string{"89161000174": "ring:30"},
			Uses:    []string{"outside first", "115"},
			Calls: []Call{{Originate: "PJSIP/89161000174@trunk-a", Dial: "115",
				// No operator talked or was rung; the one asked for is 115.
				Want: outbound("115", "89161000174", "no_answer", 0)}},
		},
		{
			Name: "callback-queue", Title: "call-back: 89161000175 answers and comes into the queue line, 113 answers",
			Scripts: map[string]string{"89161000175": "ring:1|answer|wait:20", "113": "ring:1|answer|wait:3|hangup", "114": "ring:30"},
			Uses:    []string{"outside first"},
			Calls: []Call{{Originate: "PJSIP/89161000175@trunk-a", Dial: "614",
				Want: outbound("113", "89161000175", "answered", 3)}},
		},
	}
}

// The part of the office in the manner of FreePBX, extensions_freepbx.conf.
func freepbxCalls() []Scenario {
	return []Scenario{
		{
			Name: "fp-internal", Title: "FreePBX: 121 calls 122, answered",
			Scripts: map[string]string{"122": "ring:1|answer|wait:20"},
			Calls: []Call{{Phone: "121", Dial: "122", Script: "wait:3|hangup",
				Want: internal("121", "122", "answered", 3)}},
		},
		{
			Name: "fp-in", Title: "FreePBX: inbound to 124, answered",
			Scripts: map[string]string{"124": "ring:1|answer|wait:20"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000180", Dial: "74951234724", Script: "wait:3|hangup",
				Want: inbound("79031000180", "124", "answered", 3)}},
		},
		{
			Name: "fp-in-noanswer", Title: "FreePBX: inbound to 121, who does not answer",
			Scripts: map[string]string{"121": "ring:30"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000181", Dial: "74951234721",
				Want: inbound("79031000181", "121", "no_answer", 0)}},
		},
		{
			Name: "fp-out", Title: "FreePBX: 124 calls outside, answered",
			Scripts: map[string]string{"89161000182": "ring:1|answer|wait:20"},
			Calls: []Call{{Phone: "124", Dial: "89161000182", Script: "wait:3|hangup",
				Want: outbound("124", "89161000182", "answered", 3)}},
		},
		{
			Name: "fp-out-busy", Title: "FreePBX: 121 calls outside, busy",
			Scripts: map[string]string{"89161000183": "busy"},
			Calls: []Call{{Phone: "121", Dial: "89161000183",
				Want: outbound("121", "89161000183", "busy", 0)}},
		},
		{
			Name: "fp-rg", Title: "FreePBX: a ring group by Local channels, 122 answers",
			Scripts: map[string]string{"121": "ring:30", "122": "ring:1|answer|wait:20"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000184", Dial: "74951234740", Script: "wait:3|hangup",
				Want: inbound("79031000184", "122", "answered", 3)}},
		},
		{
			Name: "fp-rg-nobody", Title: "FreePBX: a ring group by Local channels, nobody answers",
			Scripts: map[string]string{"121": "ring:30", "122": "ring:30"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000185", Dial: "74951234740",
				// Both are rung at once, each by a Local channel of its own: either may be first.
				Want: inbound("79031000185", "121|122", "no_answer", 0)}},
		},
		{
			Name: "fp-queue", Title: "FreePBX: a queue with Local/…@from-queue members, 121 answers",
			Scripts: map[string]string{"121": "ring:1|answer|wait:3|hangup", "122": "ring:30"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000186", Dial: "74951234742", Script: "wait:30",
				Want: inbound("79031000186", "121", "answered", 3)}},
		},
		{
			Name: "fp-queue-abandoned", Title: "FreePBX: the caller leaves the queue while the agents ring",
			Scripts: map[string]string{"121": "ring:30", "122": "ring:30"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000187", Dial: "74951234742", Script: "wait:3|hangup",
				// Both are rung at once, each by a Local channel of its own: either may be first.
				Want: inbound("79031000187", "121|122", "cancelled", 0)}},
		},
		{
			Name: "fp-followme", Title: "FreePBX: follow-me, 123's phone and the mobile ring together, the mobile answers",
			Scripts: map[string]string{"123": "ring:30", "89161000201": "ring:1|answer|wait:3|hangup"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000188", Dial: "74951234723", Script: "wait:30",
				Want: inbound("79031000188", "123", "answered", 3)}},
		},
		{
			Name: "fp-xfer-blind", Title: "FreePBX: inbound, 124 sends the caller to 122 by ##",
			Scripts: map[string]string{"124": "ring:1|answer|wait:2|dtmf:##122|wait:20", "122": "ring:1|answer|wait:2|hangup"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000189", Dial: "74951234724", Script: "wait:30",
				Want: inbound("79031000189", "124", "answered", 7).audio(NotJudged)}},
		},
	}
}

// The old SIP driver, and a trunk that speaks IAX2.
func oldAndOtherCalls() []Scenario {
	noChanSIP := map[string]string{"22": "Asterisk 22 has no chan_sip"}
	return []Scenario{
		{
			Name: "iax-in", Title: "inbound by an IAX2 trunk to 115, answered",
			Scripts: map[string]string{"115": "ring:1|answer|wait:20"},
			Calls: []Call{{Trunk: "trunk-c", From: "79031000190", Dial: "74951234715", Script: "wait:3|hangup",
				Want: inbound("79031000190", "115", "answered", 3)}},
		},
		{
			Name: "iax-in-noanswer", Title: "inbound by an IAX2 trunk to 116, who does not answer",
			Scripts: map[string]string{"116": "ring:30"},
			Calls: []Call{{Trunk: "trunk-c", From: "79031000191", Dial: "74951234716",
				Want: inbound("79031000191", "116", "no_answer", 0)}},
		},
		{
			Name: "iax-out", Title: "117 calls outside by an IAX2 trunk, answered",
			Scripts: map[string]string{"79161000192": "ring:1|answer|wait:20"},
			Calls: []Call{{Phone: "117", Dial: "79161000192", Script: "wait:3|hangup",
				Want: outbound("117", "79161000192", "answered", 3)}},
		},
		{
			Name: "sip-in", Title: "chan_sip: inbound to 125, answered; nobody records", Not: noChanSIP,
			Scripts: map[string]string{"125": "ring:1|answer|wait:20"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000193", Dial: "74951234725", Script: "wait:3|hangup",
				Want: inbound("79031000193", "125", "answered", 3).audio(0)}},
		},
		{
			Name: "sip-internal", Title: "chan_sip: 125 calls 114, who declines", Not: noChanSIP,
			Scripts: map[string]string{"114": "ring:1|decline"},
			Calls: []Call{{Phone: "125", Dial: "114",
				Want: internal("125", "114", "busy", 0)}},
		},
		{
			Name: "sip-out", Title: "chan_sip: 125 calls outside, answered", Not: noChanSIP,
			Scripts: map[string]string{"89161000195": "ring:1|answer|wait:20"},
			Calls: []Call{{Phone: "125", Dial: "89161000195", Script: "wait:3|hangup",
				Want: outbound("125", "89161000195", "answered", 3)}},
		},
	}
}
