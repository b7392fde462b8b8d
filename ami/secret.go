package ami

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a password that no formatting, logging or encoding gives away. Only Reveal does.
type Secret string

const masked = "[secret]"

// Reveal returns the password itself, for the wire.
func (s Secret) Reveal() string { return string(s) }

// Format implements fmt.Formatter for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, masked) } // fmt.State keeps no write error

// String implements fmt.Stringer.
func (Secret) String() string { return masked }

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return slog.StringValue(masked) }

// MarshalText implements encoding.TextMarshaler, and with it JSON's and TOML's.
func (Secret) MarshalText() ([]byte, error) { return []byte(masked), nil }
