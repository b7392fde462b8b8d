//go:build lab

package lab

import "time"

// What the other tables leave: odd numbers, haste, several at once.
func restCalls() []Scenario {
	return []Scenario{
		{
			Name: "call-waiting", Title: "111 talks to a caller when a second one rings it; it takes him as well",
			Scripts: map[string]string{"111": "ring:1|answer|wait:8|hangup~ring:1|answer|wait:2|hangup"},
			Calls: []Call{
				{Trunk: "trunk-a", From: "79031000301", Dial: "74951234711", Script: "wait:30",
					Want: inbound("79031000301", "111", "answered", 8).audio(NotJudged)},
				{After: 3 * time.Second, Trunk: "trunk-b", From: "79031000302", Dial: "74951234711", Script: "wait:30",
					Want: inbound("79031000302", "111", "answered", 2).audio(NotJudged)},
			},
		},
		{
			Name: "call-waiting-ignored", Title: "112 talks to a caller and lets a second one ring, who gives up",
			Scripts: map[string]string{"112": "ring:1|answer|wait:7|hangup~ring:30"},
			Calls: []Call{
				{Trunk: "trunk-a", From: "79031000303", Dial: "74951234712", Script: "wait:30",
					Want: inbound("79031000303", "112", "answered", 7).audio(NotJudged)},
				{After: 3 * time.Second, Trunk: "trunk-b", From: "79031000304", Dial: "74951234712", GiveUp: 2 * time.Second,
					Want: inbound("79031000304", "112", "cancelled", 0)},
			},
		},
		{
			Name: "out-plus", Title: "113 dials an outside number with a plus",
			Scripts: map[string]string{"+79161000305": "ring:1|answer|wait:20"},
			Calls: []Call{{Phone: "113", Dial: "+79161000305", Script: "wait:2|hangup",
				Want: outbound("113", "+79161000305|79161000305", "answered", 2).audio(0)}},
		},
		{
			Name: "out-00", Title: "114 dials a number abroad with 00, and is refused",
			Scripts: map[string]string{"0049301234306": "ring:1|decline"},
			Calls: []Call{{Phone: "114", Dial: "0049301234306", Script: "wait:2|hangup",
				Want: outbound("114", "0049301234306", "busy|no_answer", 0)}},
		},
		{
			Name: "int-cancel-early", Title: "115 calls 116 and hangs up after 0.3 s",
			Scripts: map[string]string{"116": "ring:30"},
			Calls: []Call{{Phone: "115", Dial: "116", GiveUp: 300 * time.Millisecond,
				Want: internal("115", "116", "cancelled", 0)}},
		},
		{
			Name: "in-cancel-early", Title: "a caller hangs up 0.2 s after he dialled",
			Scripts: map[string]string{"117": "ring:30"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000307", Dial: "74951234717", GiveUp: 200 * time.Millisecond,
				Want: inbound("79031000307", "117", "cancelled", 0)}},
		},
		{
			Name: "conference-outsiders", Title: "106 dials 630, two outsiders come in through the menu (6): each call is his own",
			Uses: []string{"conference"},
			Calls: []Call{
				{Phone: "106", Dial: "630", Script: "wait:8|hangup", Want: internal("106", "630", "answered", NotJudged).audio(0)},
				{After: time.Second, Trunk: "trunk-a", From: "79031000308", Dial: "74951234560", Script: "wait:1.5|dtmf:6|wait:4|hangup",
					Want: inbound("79031000308", "630", "answered", NotJudged).audio(0)},
				{After: time.Second, Trunk: "trunk-b", From: "79031000309", Dial: "74951234560", Script: "wait:1.5|dtmf:6|wait:3|hangup",
					Want: inbound("79031000309", "630", "answered", NotJudged).audio(0)},
			},
		},
		{
			Name: "followme", Title: "the application FollowMe rings 118, who answers",
			Scripts: map[string]string{"118": "ring:1|answer|wait:3|hangup"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000312", Dial: "74951234771", Script: "wait:30",
				Want: inbound("79031000312", "118", "answered", 3).audio(0)}},
		},
		{
			Name: "followme-second", Title: "the application FollowMe rings 118, who does not answer, then 117, who does",
			Not:     map[string]string{"16": "its FollowMe without a prompt joins the caller to the first phone while it rings, and ends with it"},
			Scripts: map[string]string{"118": "ring:30", "117": "ring:1|answer|wait:3|hangup"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000310", Dial: "74951234771", Script: "wait:30",
				Want: inbound("79031000310", "117", "answered", 3).audio(NotJudged)}},
		},
		{
			Name: "fp-macro", Title: "121 dials 643, which the application Macro leads to 124",
			Scripts: map[string]string{"124": "ring:1|answer|wait:20"},
			Not:     map[string]string{"22": "Asterisk 22 has no application Macro"},
			Calls: []Call{{Phone: "121", Dial: "643", Script: "wait:2|hangup",
				Want: internal("121", "124", "answered", 2).audio(0)}},
		},
		{
			Name: "click-by-voipd", Title: "the app clicks: voipd rings 114, then a mobile by AMI, answered",
			Scripts: map[string]string{"114": "ring:1|answer|wait:20", "89161000313": "ring:1|answer|wait:3|hangup"},
			Calls: []Call{{Originate: "PJSIP/114", By: "voipd-ami", Dial: "89161000313",
				Want: outbound("114", "89161000313", "answered", 3).audio(NotJudged)}},
		},
		{
			Name: "click-by-voipd-ari", Title: "the app clicks: voipd rings 115 by ARI, who answers, then a mobile, which is busy",
			Scripts: map[string]string{"115": "ring:1|answer|wait:4|hangup", "89161000314": "busy"},
			Calls: []Call{{Originate: "PJSIP/115", By: "voipd-ari", Dial: "89161000314",
				Want: outbound("115", "89161000314", "busy", 0)}},
		},
		{
			Name: "recorded-twice", Title: "inbound to 113, recorded by the dialplan; 113 presses *3 as well",
			Scripts: map[string]string{"113": "ring:1|answer|wait:1|dtmf:*3|wait:3|hangup"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000311", Dial: "74951234713", Script: "wait:30",
				Want: inbound("79031000311", "113", "answered", 5).audio(NotJudged)}},
		},
		{
			Name: "recorded-by-ari", Title: "a Stasis application rings 117, then 118, joins them and records their bridge by ARI",
			Scripts: map[string]string{"117": "ring:1|answer|wait:30", "118": "ring:1|answer|wait:4|hangup"},
			Uses:    []string{"stasis"},
			Acts:    []Act{{After: 3 * time.Second, Do: "record-bridge lab-crm ari-recorded"}},
			Calls: []Call{{Originate: "PJSIP/117", By: "stasis", Dial: "PJSIP/118",
				Want: internal("117", "118", "answered", 4).audio(0)}},
		},
	}
}
