//go:build lab

package lab

// Calls that a part of the PBX answers: its answer is none for a caller from
// outside, and one for a colleague.
func serviceCalls() []Scenario {
	return []Scenario{
		{
			Name: "ivr-extension", Title: "IVR: the caller presses 1, 101 answers and hangs up after 2 s",
			Scripts: map[string]string{"101": "ring:1|answer|wait:2|hangup"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000021", Dial: "74951234560", Script: "wait:1.5|dtmf:1|wait:20",
				Want: inbound("79031000021", "101", "answered", 2)}},
		},
		{
			Name: "ivr-extension-noanswer", Title: "IVR: the caller presses 4, 104 does not answer",
			Scripts: map[string]string{"104": "ring:30"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000023", Dial: "74951234560", Script: "wait:1.5|dtmf:4|wait:30",
				Want: inbound("79031000023", "104", "no_answer", 0)}},
		},
		{
			Name: "ivr-abandoned", Title: "IVR: the caller hangs up in the menu",
			Calls: []Call{{Trunk: "trunk-a", From: "79031000024", Dial: "74951234560", Script: "wait:2|hangup",
				Want: inbound("79031000024", "74951234560", "cancelled", 0)}},
		},
		{
			Name: "ivr-no-choice", Title: "IVR: the caller presses nothing, the PBX hangs up",
			Calls: []Call{{Trunk: "trunk-b", From: "79031000027", Dial: "74951234560", Script: "wait:30",
				Want: inbound("79031000027", "74951234560", "no_answer", 0)}},
		},
		{
			Name: "ivr-internal", Title: "109 calls the IVR and hangs up after 3 s",
			Calls: []Call{{Phone: "109", Dial: "620", Script: "wait:3|hangup",
				Want: internal("109", "620", "answered", 3).audio(0)}},
		},
		{
			Name: "in-announcement", Title: "a number that only plays an announcement, heard to its end",
			Calls: []Call{{Trunk: "trunk-a", From: "79031000025", Dial: "74951234564", Script: "wait:30",
				Want: inbound("79031000025", "74951234564", "no_answer", 0)}},
		},
		{
			Name: "in-announcement-cancel", Title: "an announcement, the caller hangs up in the middle",
			Calls: []Call{{Trunk: "trunk-b", From: "79031000028", Dial: "74951234564", Script: "wait:1.5|hangup",
				Want: inbound("79031000028", "74951234564", "cancelled", 0)}},
		},
		{
			Name: "in-greeting-answered", Title: "the PBX answers and greets, then dials 102, answered (gsm)",
			Scripts: map[string]string{"102": "ring:1|answer|wait:3|hangup"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000026", Dial: "74951234565", Script: "wait:20",
				Want: inbound("79031000026", "102", "answered", 3)}},
		},
		{
			Name: "in-greeting-cancel", Title: "the PBX answers and greets, then dials 102; the caller hangs up while it rings",
			Scripts: map[string]string{"102": "ring:30"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000030", Dial: "74951234565", Script: "wait:4|hangup",
				Want: inbound("79031000030", "102", "cancelled", 0)}},
		},
		{
			Name: "in-voicemail", Title: "106 does not answer, the caller leaves a message",
			Scripts: map[string]string{"106": "ring:30"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000029", Dial: "74951234561", Script: "wait:8|hangup",
				Want: inbound("79031000029", "106", "no_answer", 0)}},
		},
		{
			Name: "in-voicemail-answered", Title: "106 has a mailbox and answers; nobody records",
			Scripts: map[string]string{"106": "ring:1|answer|wait:2|hangup"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000032", Dial: "74951234561", Script: "wait:20",
				Want: inbound("79031000032", "106", "answered", 2).audio(0)}},
		},
	}
}

// Click to call: the PBX rings the operator first, then dials for him.
func clickCalls() []Scenario {
	return []Scenario{
		{
			Name: "click-answered", Title: "AMI Originate: PJSIP/101, then 89161000031; both answer",
			Scripts: map[string]string{"101": "ring:1|answer|wait:20", "89161000031": "ring:1|answer|wait:3|hangup"},
			Calls: []Call{{Originate: "PJSIP/101", Dial: "89161000031",
				Want: outbound("101", "89161000031", "answered", 3)}},
		},
		{
			Name: "click-operator-noanswer", Title: "AMI Originate: 102 does not pick up, the outsider is never dialled",
			Scripts: map[string]string{"102": "ring:30"},
			Calls: []Call{{Originate: "PJSIP/102", Dial: "89161000032",
				Want: outbound("102", "89161000032", "no_answer", 0)}},
		},
		{
			Name: "click-operator-busy", Title: "AMI Originate: 104's phone is busy, the outsider is never dialled",
			Scripts: map[string]string{"104": "busy"},
			Calls: []Call{{Originate: "PJSIP/104", Dial: "89161000033",
				Want: outbound("104", "89161000033", "busy", 0)}},
		},
		{
			Name: "click-target-busy", Title: "AMI Originate: 103 picks up, the outsider is busy",
			Scripts: map[string]string{"103": "ring:1|answer|wait:20", "89161000034": "ring:1|busy"},
			Calls: []Call{{Originate: "PJSIP/103", Dial: "89161000034",
				Want: outbound("103", "89161000034", "busy", 0)}},
		},
		{
			Name: "click-cancel", Title: "AMI Originate: 104 picks up and hangs up while the outsider's phone rings",
			Scripts: map[string]string{"104": "ring:1|answer|wait:3|hangup", "89161000035": "ring:30"},
			Calls: []Call{{Originate: "PJSIP/104", Dial: "89161000035",
				Want: outbound("104", "89161000035", "cancelled", 0)}},
		},
		{
			Name: "click-internal", Title: "AMI Originate: PJSIP/103, then the colleague 104; both answer",
			Scripts: map[string]string{"103": "ring:1|answer|wait:20", "104": "ring:1|answer|wait:2|hangup"},
			Calls: []Call{{Originate: "PJSIP/103", Dial: "104",
				Want: internal("103", "104", "answered", 2)}},
		},
		{
			Name: "click-local", Title: "AMI Originate of Local/109@from-internal, then 89161000036; both answer",
			Scripts: map[string]string{"109": "ring:1|answer|wait:20", "89161000036": "ring:1|answer|wait:3|hangup"},
			Calls: []Call{{Originate: "Local/109@from-internal", Dial: "89161000036",
				// Two recordings: of the Local channel, which has the ringing too, and of the outbound call.
				Want: outbound("109", "89161000036", "answered", 3).audio(NotJudged)}},
		},
		{
			Name: "call-file", Title: "a call file: PJSIP/106, then 89161000038; both answer",
			Scripts: map[string]string{"106": "ring:1|answer|wait:20", "89161000038": "ring:1|answer|wait:2|hangup"},
			Calls: []Call{{Originate: "PJSIP/106", By: "file", Dial: "89161000038",
				Want: outbound("106", "89161000038", "answered", 2)}},
		},
		{
			Name: "call-file-noanswer", Title: "a call file: 106 does not pick up",
			Scripts: map[string]string{"106": "ring:30"},
			Calls: []Call{{Originate: "PJSIP/106", By: "file", Dial: "89161000039",
				Want: outbound("106", "89161000039", "no_answer", 0)}},
		},
		{
			Name: "click-local-noanswer", Title: "AMI Originate of Local/109@from-internal, 109 does not pick up",
			Scripts: map[string]string{"109": "ring:30"},
			Calls: []Call{{Originate: "Local/109@from-internal", Dial: "89161000037",
				Want: outbound("109", "89161000037", "no_answer", 0)}},
		},
	}
}
