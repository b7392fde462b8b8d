//go:build lab

package lab

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// play does what a script says, until it or the call ends.
func (d *sipDialog) play(number, script string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	go func() {
		select {
		case <-d.over:
			cancel()
		case <-ctx.Done():
		}
	}()
	var second *sipDialog
	for _, step := range strings.Split(script, "|") {
		word, arg, _ := strings.Cut(step, ":")
		if word == "call" || word == "ringcall" {
			second = d.phone.newDialog(number, arg)
		}
		if word == "join" && second == nil {
			second = d.phone.other(d, number)
		}
		if err := d.step(ctx, number, word, arg, second); err != nil {
			break
		}
	}
	for _, open := range []*sipDialog{second, d} {
		if open != nil {
			open.hangUp()
		}
	}
}

var errOver = errors.New("the call is over")

func (d *sipDialog) step(ctx context.Context, number, word, arg string, second *sipDialog) error {
	p := d.phone
	switch word {
	case "ring":
		p.send(d.invite.reply(180, "Ringing", d.tag(), ""))
		return pause(ctx, seconds(arg))
	case "wait":
		return pause(ctx, seconds(arg))
	case "answer":
		p.send(d.invite.reply(200, "OK", d.tag(), sdp("sendrecv")))
		d.invite = nil
		return nil
	case "hold":
		return d.invited(ctx, "sendonly", 200)
	case "resume":
		return d.invited(ctx, "sendrecv", 200)
	case "call", "ringcall":
		if err := d.invited(ctx, "sendonly", 200); err != nil {
			return err
		}
		return second.invited(ctx, "sendrecv", map[string]int{"call": 200, "ringcall": 180}[word])
	case "drop":
		second.hangUp()
		return nil
	case "join":
		_, localTag, _ := strings.Cut(second.local, ";tag=")
		_, remoteTag, _ := strings.Cut(second.remote, ";tag=")
		replaces := url.QueryEscape(second.id + ";to-tag=" + remoteTag + ";from-tag=" + localTag)
		return d.refer(ctx, number, fmt.Sprintf("<%s?Replaces=%s>", uriOf("<"+second.toURI()+">"), replaces))
	case "refer":
		return d.refer(ctx, number, "<sip:"+arg+"@"+pbxSIP+">")
	case "hangup", "":
		return errOver
	}
	code := map[string]int{"busy": 486, "decline": 603}[word]
	if code == 0 {
		code, _ = strconv.Atoi(word) // 0 sends nothing useful, and the scenario shows it
	}
	p.send(d.invite.reply(code, "No", d.tag(), ""))
	d.invite = nil
	d.end()
	return errOver
}

// invited sends an INVITE, or a re-INVITE, and waits for an answer of at
// least the given status (180 or 200).
func (d *sipDialog) invited(ctx context.Context, direction string, enough int) error {
	d.cseq++
	d.phone.send(d.request("INVITE", d.cseq, "", sdp(direction), nil))
	for {
		m, err := d.next(ctx, "INVITE")
		switch {
		case err != nil:
			return err
		case m.status >= 300:
			return fmt.Errorf("INVITE: %d", m.status)
		case m.status >= enough:
			return nil
		}
	}
}

// refer asks the PBX to transfer; whatever it then does, it ends the call.
func (d *sipDialog) refer(ctx context.Context, number, to string) error {
	d.cseq++
	d.phone.send(d.request("REFER", d.cseq, "", "", map[string]string{
		"Refer-To": to, "Referred-By": "<sip:" + number + "@" + sipPhones + ">"}))
	m, err := d.next(ctx, "REFER")
	if err == nil && m.status >= 300 {
		err = fmt.Errorf("REFER: %d", m.status)
	}
	return err
}

func (d *sipDialog) next(ctx context.Context, method string) (*sipMessage, error) {
	for {
		select {
		case m := <-d.answers:
			if m.cseqMethod() == method {
				return m, nil
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// hangUp ends the call if it is not over.
func (d *sipDialog) hangUp() {
	select {
	case <-d.over:
		return
	default:
	}
	switch {
	case d.invite != nil:
		d.phone.send(d.invite.reply(480, "Gone", d.tag(), ""))
	default:
		d.cseq++
		d.phone.send(d.request("BYE", d.cseq, "", "", nil))
	}
	d.end()
}

func (d *sipDialog) toURI() string { return uriOf(d.remote) }

func seconds(s string) time.Duration {
	f, _ := strconv.ParseFloat(s, 64) // 0 for nonsense
	return time.Duration(f * float64(time.Second))
}
