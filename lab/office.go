//go:build lab

package lab

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Addresses of the office and of its surroundings, as conf/ has them.
const (
	pbxAMI = "127.0.2.1:5038"
	netAMI = "127.0.2.4:5038"
	pbxARI = "http://127.0.2.1:8088/ari"
)

// monitorDir is where the PBX records, by its own words.
const monitorDir = "/var/spool/asterisk-pbx/monitor"

// Office is the running laboratory: the PBX, its phones and network, and a
// session with each of them.
type Office struct {
	PBX, Net *Instance

	voipds   map[string]*Daemon // that watch, by "ami" and "ari"
	sip      *sipPhone
	bot      *bot
	pbx, net *AMI
	watch    *watch
	mu       sync.Mutex
	answers  map[string]chan Message // OriginateResponse by ActionID
}

// OpenOffice starts both instances: the PBX on Asterisk v, with these options,
// phones and network on the first of Versions.
func OpenOffice(ctx context.Context, d *Dir, v Version, options ...Option) (_ *Office, err error) {
	o := &Office{watch: newWatch(), voipds: map[string]*Daemon{}, answers: map[string]chan Message{}}
	defer func() {
		if err != nil {
			o.Close()
		}
	}()
	root, err := d.Rootfs(ctx, v, os.Stderr)
	if err != nil {
		return nil, err
	}
	netRoot, err := d.Rootfs(ctx, Versions()[0], os.Stderr)
	if err != nil {
		return nil, err
	}
	if o.PBX, err = StartInstance(ctx, root, "pbx", pbxAMI, options...); err != nil {
		return nil, err
	}
	if o.Net, err = StartInstance(ctx, netRoot, "net", netAMI); err != nil {
		return nil, err
	}
	if o.sip, err = openSIPPhones(); err != nil {
		return nil, err
	}
	if o.bot, err = openBot(); err != nil {
		return nil, err
	}
	if o.pbx, err = DialAMI(pbxAMI, harnessUser, o.watch.see); err != nil {
		return nil, err
	}
	if o.net, err = DialAMI(netAMI, harnessUser, o.seeNet); err != nil {
		return nil, err
	}
	return o, nil
}

// Close ends both instances and removes what they wrote; VOIPD_LAB_KEEP=1
// leaves logs, CDR, CEL and recordings for a look.
func (o *Office) Close() error {
	for _, c := range []*AMI{o.pbx, o.net} {
		if c != nil {
			c.Close()
		}
	}
	var first error
	if o.sip != nil {
		first = o.sip.Close()
	}
	if o.bot != nil {
		if err := o.bot.Close(); err != nil && first == nil {
			first = err
		}
	}
	for _, in := range []*Instance{o.PBX, o.Net} {
		if in == nil {
			continue
		}
		if os.Getenv("VOIPD_LAB_KEEP") != "" {
			in.Stop()
			continue
		}
		if err := in.Remove(); err != nil && first == nil {
			first = fmt.Errorf("clean up %s: %w", in.Name, err)
		}
	}
	return first
}

func (o *Office) seeNet(m Message) {
	if m["Event"] != "OriginateResponse" {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if ch := o.answers[m["ActionID"]]; ch != nil {
		ch <- m
		delete(o.answers, m["ActionID"])
	}
}

// Play plays one scenario from its first call to the last hangup.
func (o *Office) Play(ctx context.Context, s Scenario) (*playing, error) {
	for number, script := range s.Scripts {
		if isSIPPhone(number) {
			o.sip.setScript(number, script)
			continue
		}
		if _, err := o.net.Do(ctx, "DBPut", "Family", "script", "Key", number, "Val", script); err != nil {
			return nil, fmt.Errorf("scenario %s: %w", s.Name, err)
		}
	}
	p := o.watch.begin(s)
	defer o.watch.end(p)
	acting := o.act(ctx, p)
	for i, c := range s.Calls {
		if c.Second {
			o.watch.start(p, i)
		}
	}
	for i, c := range s.Calls {
		if err := pause(ctx, time.Until(p.started.Add(c.After))); err != nil {
			return p, err
		}
		if err := o.begin(ctx, p, i); err != nil {
			return p, fmt.Errorf("scenario %s, call %d: %w", s.Name, i+1, err)
		}
	}
	if err := <-acting; err != nil {
		return p, fmt.Errorf("scenario %s: %w", s.Name, err)
	}
	// Channels may follow one another with a breath between them (a recall,
	// a parked call that comes back): idle twice is idle.
	for range 2 {
		if err := o.watch.awaitIdle(ctx, p, 90*time.Second); err != nil {
			return p, fmt.Errorf("scenario %s does not end: %w", s.Name, err)
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return p, err
		}
	}
	for number := range s.Scripts {
		if isSIPPhone(number) {
			o.sip.setScript(number, "")
			continue
		}
		if _, err := o.net.Do(ctx, "DBDel", "Family", "script", "Key", number); err != nil {
			return p, fmt.Errorf("scenario %s: %w", s.Name, err)
		}
	}
	return p, nil
}

// begin makes call i and waits until the PBX has its first channel.
func (o *Office) begin(ctx context.Context, p *playing, i int) error {
	c := p.Calls[i]
	o.watch.start(p, i)
	if c.Begun != nil {
		c.Begun()
	}
	var err error
	switch {
	case c.Second, c.By == "app": // somebody else makes it
	case c.By == "file":
		err = o.callFile(c)
	case c.By == "ari":
		err = o.ariOriginate(ctx, c)
	case strings.HasPrefix(c.By, "voipd-"):
		err = o.click(ctx, c)
	case c.By == "stasis":
		err = o.stasis(ctx, c)
	case c.Originate != "":
		err = o.originate(ctx, c)
	default:
		err = o.dial(ctx, p, i)
	}
	if err != nil {
		return err
	}
	if c.NoChannel {
		return o.noChannel(ctx, p, i)
	}
	if err := o.watch.awaitCall(ctx, p, i, 8*time.Second); err != nil {
		return fmt.Errorf("the call did not reach the PBX: %w", err)
	}
	return nil
}

// noChannel waits until call i was refused and makes sure that the PBX had no
// channel for it.
func (o *Office) noChannel(ctx context.Context, p *playing, i int) error {
	if err := o.watch.awaitRefusal(ctx, p, i, 8*time.Second); err != nil {
		return fmt.Errorf("the PBX does not refuse the call: %w", err)
	}
	// The PBX's events come by another connection than the refusal did.
	if err := pause(ctx, 300*time.Millisecond); err != nil {
		return err
	}
	o.watch.mu.Lock()
	defer o.watch.mu.Unlock()
	if p.ids[i] != "" {
		return fmt.Errorf("the PBX made channel %s for a call without one", p.ids[i])
	}
	return nil
}

// originate has the PBX begin the call, as a click in the CRM would.
func (o *Office) originate(ctx context.Context, c Call) error {
	_, err := o.pbx.Do(ctx, "Originate", "Channel", c.Originate, "Context", "from-internal", "Exten", c.Dial,
		"Priority", "1", "CallerID", fmt.Sprintf("%q <%s>", c.Dial, c.Dial), "Timeout", "5000", "Async", "true")
	return err
}

// callFile has the PBX begin the call by a call file, moved in whole as
// Asterisk demands.
func (o *Office) callFile(c Call) error {
	const spool = "/var/spool/asterisk-pbx/"
	name := "lab-" + c.operator() + "-" + c.Dial + ".call"
	text := fmt.Sprintf("Channel: %s\nCallerID: %q <%s>\nWaitTime: 5\nMaxRetries: %d\nRetryTime: 1\nContext: from-internal\nExtension: %s\nPriority: 1\n",
		c.Originate, c.Dial, c.Dial, c.Retries, c.Dial)
	draft := o.PBX.Path(spool + "tmp/" + name)
	if err := os.WriteFile(draft, []byte(text), 0o644); err != nil {
		return fmt.Errorf("call file: %w", err)
	}
	return os.Rename(draft, o.PBX.Path(spool+"outgoing/"+name))
}

// dial lets a phone or somebody outside dial the office.
func (o *Office) dial(ctx context.Context, p *playing, i int) error {
	c := p.Calls[i]
	if isSIPPhone(c.Phone) {
		go func() {
			if err := o.sip.dial(ctx, c.Phone, c.Dial, c.Script); err != nil {
				o.watch.refuse(p, i, err.Error())
			}
		}()
		return nil
	}
	via, callerID := "phone-"+c.Phone, c.Phone
	if c.Trunk != "" {
		via = c.Trunk
		callerID = fmt.Sprintf("%q <%s>", c.Named, c.From)
	}
	giveUp := c.GiveUp
	if giveUp == 0 {
		giveUp = time.Minute
	}
	id := p.Name + "-" + strconv.Itoa(i)
	answer := make(chan Message, 1)
	o.mu.Lock()
	o.answers["o-"+id] = answer
	o.mu.Unlock()
	channel := "PJSIP/" + c.Dial + "@" + via
	if c.Trunk == "trunk-c" {
		channel = "IAX2/trunk-c/" + c.Dial
	}
	_, err := o.net.doAs(ctx, "o-"+id, "Originate", "Channel", channel, "CallerID", callerID,
		"Context", "caller", "Exten", "s", "Priority", "1", "Timeout", strconv.FormatInt(giveUp.Milliseconds(), 10),
		"Variable", "SCRIPT="+strings.ReplaceAll(c.Script, ",", `\,`), "Async", "true")
	if err != nil {
		return err
	}
	go func() {
		select {
		case m := <-answer:
			if m["Response"] != "Success" {
				o.watch.refuse(p, i, "not answered, reason "+m["Reason"])
			}
		case <-ctx.Done():
		}
	}()
	return nil
}

// CutAMI throws every session of a manager user out of the PBX.
func (o *Office) CutAMI(ctx context.Context, user string) error {
	out, err := o.pbx.Command(ctx, "manager show connected")
	if err != nil {
		return err
	}
	cut := 0
	for line := range strings.Lines(out) {
		f := strings.Fields(line) // user, address, start, elapsed, file descriptor, …
		if len(f) < 5 || f[0] != user {
			continue
		}
		if _, err := o.pbx.Command(ctx, "manager kick session "+f[4]); err != nil {
			return err
		}
		cut++
	}
	if cut == 0 {
		return fmt.Errorf("no session of %s to cut in %q", user, out)
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
