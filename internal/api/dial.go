package api

import (
	"net/url"
	"regexp"
	"strings"
)

// dialText is a number as people and pages write it: a tel: link, or a number
// with marks, and an extension behind it.
func dialText() *regexp.Regexp {
	return regexp.MustCompile(`(?i)^(.*?)(?:(?:;ext=|[,;pw]+|\s*(?:ext\.?|доб\.?|#)\s*)(\d{1,10})#?)?$`)
}

// readDial takes a number and the extension behind it out of a text. What it does
// not understand stays in the number, which is then refused.
func readDial(text string) (number, extension string) {
	text = strings.TrimSpace(text)
	if len(text) >= 4 && strings.EqualFold(text[:4], "tel:") {
		text = text[4:]
		if plain, err := url.PathUnescape(text); err == nil {
			text = plain
		}
		text = withoutContext(text)
	}
	parts := dialText().FindStringSubmatch(text)
	if parts == nil {
		return text, "" // it has several lines
	}
	return strings.Map(mark, parts[1]), parts[2]
}

// withoutContext drops ";phone-context=…", which says where a local number is
// valid: here.
func withoutContext(text string) string {
	parts := strings.Split(text, ";")
	kept := parts[:1]
	for _, p := range parts[1:] {
		if !strings.HasPrefix(strings.ToLower(p), "phone-context=") {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, ";")
}

// mark drops what is in a number for the eye alone: blanks of all widths, brackets,
// dashes, dots and strokes.
func mark(r rune) rune {
	if strings.ContainsRune(" \t\u00a0\u2007\u2009\u202f\u200e\u200f\u202a\u202c()[]./-\u2010\u2011\u2012\u2013\u2212", r) {
		return -1
	}
	return r
}
