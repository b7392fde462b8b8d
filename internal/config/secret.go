package config

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a text that never prints itself: not in a log, not in an error,
// not in a dump of the configuration. Reveal gives it out.
type Secret string

const hidden = "(secret)"

// Reveal is the secret itself.
func (s Secret) Reveal() string { return string(s) }

// String is a stand-in.
func (s Secret) String() string { return hidden }

// Format prints the stand-in whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, hidden) }

// LogValue logs the stand-in.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText writes the stand-in.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
