package contract_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/voipd/voipd/internal/contract"
)

func TestMaskText(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "",
		"101":                              "101",
		"10555":                            "10555",
		"79031234567":                      "7903•••••67",
		"+79031234567":                     "+7903•••••67",
		"+7 (903) 123-45-67":               "+7903•••••67",
		"8 903 123.45.67 ext":              "8903•••••67 ext",
		"9031234567":                       "903•••••67",
		"1234567":                          "•••••67",
		"123456":                           "••••56",
		"anonymous":                        "anonymous",
		"Anna 79031234567!":                "Anna 7903•••••67!",
		"out-79031234567-101-20261122.wav": "out-7903••••••••••••••••22.wav",
		"７９０３１２３４５６７":                      "0000•••••00",
		"101, 102, 103":                    "101, 102, 103",
		"a79031234567b112":                 "a7903•••••67b112",
		"😀 7903 \xff":                      "😀 7903 \xff",
	} {
		if got := contract.MaskText(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}

func TestMask(t *testing.T) {
	for text, want := range map[string]string{
		`{"callId":"1795366192.23","srcPhone":"79031234567","duration":79031234567,"rang":[{"phone":"79031234567","at":"2026-11-22T16:51:52.000Z"}]}`: `{"callId":"1795366192.23","srcPhone":"7903•••••67","duration":79031234567,"rang":[{"phone":"7903•••••67","at":"2026-11-22T16:51:52.000Z"}]}`,
		`{"ringing":["101","79031234567"],"absorbed":["1795366192.23"],"dids":[{"name":"74951234567"}],"queues":[{"name":"74951234567"}]}`:            `{"ringing":["101","7903•••••67"],"absorbed":["1795366192.23"],"dids":[{"name":"74951234567"}],"queues":[{"name":"7495•••••67"}]}`,
		`{"callerName":"\u0037903\u0031234567 \"<b>"}`: `{"callerName":"7903•••••67 \"<b>"}`,
		" [ true , null , -1.5e3 ]\n":                  " [ true , null , -1.5e3 ]\n",
		`"79031234567"`:                                `"7903•••••67"`,
		`not JSON 79031234567`:                         `not JSON 7903•••••67`,
		`{"a":"79031234567`:                            `{"a":"7903•••••67`,
		`{"a"`:                                         `{"a"`,
		`}]79031234567`:                                `}]7903•••••67`,
	} {
		if got := string(contract.Mask([]byte(text))); got != want {
			t.Errorf("%s becomes\n%s, want\n%s", text, got, want)
		}
	}
}

// FuzzMask: it ends, JSON stays JSON, and no number of seven digits or more is left in
// a text that is not excepted.
func FuzzMask(f *testing.F) {
	f.Add(`{"srcPhone":"79031234567"}`, "79031234567")
	f.Add(`{}`, "2026-11-22T16:51:52.79035554433Z")
	f.Add(`{"a":[{"b":"c"},}`, "+7 903")
	f.Fuzz(func(t *testing.T, text, number string) {
		if out := contract.Mask([]byte(text)); json.Valid([]byte(text)) && !json.Valid(out) {
			t.Errorf("%q becomes %q", text, out)
		}
		whole, err := json.Marshal(map[string]any{"callerName": number, "rang": []string{number}})
		if err != nil {
			t.Skip()
		}
		var out struct {
			CallerName string
			Rang       []string
		}
		if err := json.Unmarshal(contract.Mask(whole), &out); err != nil || len(out.Rang) != 1 {
			t.Fatalf("%q: %v", number, err)
		}
		for _, text := range append(out.Rang, out.CallerName) {
			for i := 0; i+7 <= len(text); i++ {
				if strings.Trim(text[i:i+7], "0123456789") == "" {
					t.Errorf("%q is left as %q", number, text)
				}
			}
		}
	})
}
