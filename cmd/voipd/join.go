package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/contract"
)

func newJoin() *cobra.Command {
	var path, file string
	c := &cobra.Command{
		Use:   "join ADDRESS CODE",
		Short: "Make this voipd the edge of a PBX at a centre",
		Long: `Join uses a code of "voipd centre edge add" up and writes the token that it gives into
a file: beside the configuration, unless --token-file says where. It prints the lines of the
configuration that make voipd ship its records, on standard output:
"voipd join https://voip.example.com CODE >> /etc/voipd/config.toml". Done again
with a new code, it puts the new token in the place of the old one, while voipd runs.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if file == "" {
				file = filepath.Join(filepath.Dir(path), "centre.token")
			}
			return join(cmd, path, file, strings.TrimRight(args[0], "/"), args[1])
		},
	}
	configFlag(c, &path, "/etc/voipd/config.toml")
	c.Flags().StringVar(&file, "token-file", "", "where the token is written; else centre.token beside the configuration")
	return c
}

func join(cmd *cobra.Command, path, file, address, code string) error {
	conf, err := config.Read(path)
	if err != nil {
		return err
	}
	// Before the code is used up: one that cannot be kept is lost.
	if err := writeToken(file+".new", path, ""); err != nil {
		return err
	}
	j, err := askToJoin(cmd.Context(), address, code)
	if err != nil {
		return errors.Join(err, os.Remove(file+".new"))
	}
	if err := writeToken(file+".new", path, j.Token); err != nil {
		return err
	}
	if err := os.Rename(file+".new", file); err != nil {
		return fmt.Errorf("write the token: %w", err)
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "This is the PBX %s of %s now; its token is in %s\n", j.PBX, j.Tenant, file)
	if conf.Centre.Address == address && conf.Centre.TokenFile == file {
		return nil // the lines are there
	}
	if conf.Centre.Address != "" {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s has a [centre] already: put these lines in its place\n", path)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "\n[centre]\naddress = %q\ntoken_file = %q\n", address, file)
	return err
}

// writeToken writes a file that only those who may read the configuration can read.
func writeToken(file, like, token string) error {
	info, err := os.Stat(like)
	if err != nil {
		return fmt.Errorf("write the token: %w", err)
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write the token: %w", err)
	}
	_, err = f.WriteString(token + "\n")
	err = errors.Join(err, f.Chmod(info.Mode().Perm()&0o640), config.KeepOwner(f, info), f.Sync(), f.Close())
	if err != nil {
		return fmt.Errorf("write the token: %w", err)
	}
	return nil
}

// joinWithin is how long the centre may take.
const joinWithin = 30 * time.Second

func askToJoin(ctx context.Context, address, code string) (j contract.Joined, err error) {
	if u, err := url.Parse(address); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return j, fmt.Errorf("want the centre's address, such as https://voip.example.com, have %q", address)
	}
	ctx, cancel := context.WithTimeout(ctx, joinWithin)
	defer cancel()
	body, err := json.Marshal(contract.Joining{Code: code})
	if err != nil {
		return j, fmt.Errorf("ask the centre: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/v1/join", bytes.NewReader(body))
	if err != nil {
		return j, fmt.Errorf("ask the centre: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return j, fmt.Errorf("ask the centre: %w", err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return j, fmt.Errorf("ask the centre: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		var problem struct{ Detail string }
		_ = json.Unmarshal(text, &problem) // a proxy's page is no problem in JSON
		return j, fmt.Errorf("the centre at %s answers HTTP %d: %s", address, res.StatusCode, problem.Detail)
	}
	if err := json.Unmarshal(text, &j); err != nil || j.Token == "" {
		return j, fmt.Errorf("what answers at %s is no centre", address)
	}
	return j, nil
}
