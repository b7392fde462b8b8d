//go:build lab

package lab

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// The laboratory talks to its Asterisks by a driver of its own, small and
// independent of package ami: the measure must not share the mistakes of what
// it measures.

const (
	harnessUser   = "harness"
	harnessSecret = "harness-lab-secret"
	voipdUser     = "voipd"
	voipdSecret   = "voipd-lab-secret"
)

// Message is one AMI message: headers in order. The last of repeated headers
// wins in Get; the laboratory looks at none of those.
type Message map[string]string

// AMI is one session. Its methods may be called from any goroutine.
type AMI struct {
	conn    net.Conn
	writeMu sync.Mutex
	nextID  atomic.Int64

	mu      sync.Mutex
	waiting map[string]chan Message
	onEvent func(Message)
	readErr error
	done    chan struct{}
}

// DialAMI connects, logs in as the given user (harness or voipd) and hands
// every event to onEvent, in order, from one goroutine. Raw bytes are copied
// to every tap as they come.
func DialAMI(addr, user string, onEvent func(Message), taps ...io.Writer) (*AMI, error) {
	conn, err := net.DialTimeout("tcp", addr, 2*time.Second)
	if err != nil {
		return nil, fmt.Errorf("dial AMI: %w", err)
	}
	c := &AMI{conn: conn, waiting: map[string]chan Message{}, onEvent: onEvent, done: make(chan struct{})}
	var src io.Reader = conn
	for _, tap := range taps {
		src = io.TeeReader(src, tap)
	}
	go c.read(bufio.NewReaderSize(src, 64<<10))
	secret := harnessSecret
	if user == voipdUser {
		secret = voipdSecret
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if _, err := c.Do(ctx, "Login", "Username", user, "Secret", secret); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Close ends the session.
func (c *AMI) Close() {
	c.conn.Close()
	<-c.done
}

// Do sends an action and returns its response; "Response: Error" is an error.
func (c *AMI) Do(ctx context.Context, action string, headers ...string) (Message, error) {
	return c.doAs(ctx, fmt.Sprintf("lab-%d", c.nextID.Add(1)), action, headers...)
}

// doAs is Do with an ActionID of the caller's choice, by which later events
// (OriginateResponse) can be told apart.
func (c *AMI) doAs(ctx context.Context, id, action string, headers ...string) (Message, error) {
	reply := make(chan Message, 1)
	c.mu.Lock()
	c.waiting[id] = reply
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.waiting, id)
		c.mu.Unlock()
	}()

	var b strings.Builder
	fmt.Fprintf(&b, "Action: %s\r\nActionID: %s\r\n", action, id)
	for i := 0; i+1 < len(headers); i += 2 {
		if strings.ContainsAny(headers[i+1], "\r\n") {
			return nil, fmt.Errorf("AMI %s: line break in %s", action, headers[i])
		}
		fmt.Fprintf(&b, "%s: %s\r\n", headers[i], headers[i+1])
	}
	b.WriteString("\r\n")
	c.writeMu.Lock()
	_, err := io.WriteString(c.conn, b.String())
	c.writeMu.Unlock()
	if err != nil {
		return nil, fmt.Errorf("AMI %s: %w", action, err)
	}
	select {
	case m := <-reply:
		if m["Response"] == "Error" {
			return m, fmt.Errorf("AMI %s: %s", action, m["Message"])
		}
		return m, nil
	case <-c.done:
		return nil, fmt.Errorf("AMI %s: connection ended: %w", action, c.readErr)
	case <-ctx.Done():
		return nil, fmt.Errorf("AMI %s: no answer: %w", action, ctx.Err())
	}
}

// Command runs a CLI command and returns its output.
func (c *AMI) Command(ctx context.Context, command string) (string, error) {
	m, err := c.Do(ctx, "Command", "Command", command)
	return m["Output"], err
}

func (c *AMI) read(r *bufio.Reader) {
	defer close(c.done)
	m := Message{}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			c.readErr = err
			return
		}
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			if len(m) > 0 {
				c.dispatch(m)
				m = Message{}
			}
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			continue // the banner
		}
		value = strings.TrimPrefix(value, " ")
		if key == "Output" && m[key] != "" {
			value = m[key] + "\n" + value
		}
		m[key] = value
	}
}

func (c *AMI) dispatch(m Message) {
	if _, isResponse := m["Response"]; isResponse && m["Event"] == "" {
		c.mu.Lock()
		reply := c.waiting[m["ActionID"]]
		delete(c.waiting, m["ActionID"])
		c.mu.Unlock()
		if reply != nil {
			reply <- m
		}
		return
	}
	if m["Event"] != "" && c.onEvent != nil {
		c.onEvent(m)
	}
}
