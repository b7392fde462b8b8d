package config

import (
	"fmt"
	"strings"
)

func (k *checker) centre(c *Centre) {
	switch {
	case c.Address == "" && (c.Token != "" || c.TokenFile != ""):
		k.bad("centre.address", "not set, but a token is: voipd join prints both")
	case c.Address == "":
	case c.Token != "" && c.TokenFile != "":
		k.bad("centre.token_file", "token is set as well; keep one of the two")
	case c.Token == "" && c.TokenFile == "":
		k.bad("centre.token", "not set: give token or token_file, as voipd join prints it")
	}
	if c.Address != "" {
		k.url("centre.address", c.Address)
	}
	k.line("centre.token", c.Token.Reveal())
}

// ReadToken is the token as it is now: that of the file where there is one, so that it
// can be changed while voipd runs.
func (c *Centre) ReadToken() (Secret, error) {
	if c.TokenFile == "" {
		return c.Token, nil
	}
	text, err := readSecret(c.TokenFile)
	if err != nil {
		return "", fmt.Errorf("centre.token_file: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if token == "" || strings.ContainsAny(token, " \r\n\t\x00") {
		return "", fmt.Errorf("centre.token_file: %s does not hold one line with the token", c.TokenFile)
	}
	return Secret(token), nil
}

// fetchCentreToken sees whether there is a token.
func (c *Config) fetchCentreToken() []Problem {
	if c.Centre.Address == "" {
		return nil
	}
	if _, err := c.Centre.ReadToken(); err != nil {
		return []Problem{{Key: "centre.token_file", What: strings.TrimPrefix(err.Error(), "centre.token_file: ")}}
	}
	return nil
}
