//go:build lab

package lab

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// botAddr is where the voice bot listens, as conf/ has it.
const botAddr = "127.0.2.7:9092"

// bot is a voice bot that speaks AudioSocket: a message is its kind, its length in
// two bytes, and that many bytes. It says nothing, and hangs up after as many
// seconds as the last byte of the call's UUID says (in hexadecimal).
type bot struct {
	listener net.Listener
	calls    sync.WaitGroup
	mu       sync.Mutex
	open     map[net.Conn]bool
}

// Kinds of messages of AudioSocket.
const (
	botHangup = 0x00
	botUUID   = 0x01
)

func openBot() (*bot, error) {
	l, err := net.Listen("tcp", botAddr)
	if err != nil {
		return nil, fmt.Errorf("open the voice bot: %w", err)
	}
	b := &bot{listener: l, open: map[net.Conn]bool{}}
	b.calls.Add(1)
	go func() {
		defer b.calls.Done()
		for {
			conn, err := l.Accept()
			if err != nil {
				return // closed
			}
			b.mu.Lock()
			b.open[conn] = true
			b.mu.Unlock()
			b.calls.Add(1)
			go b.answer(conn)
		}
	}()
	return b, nil
}

// Close ends every call and waits for its end.
func (b *bot) Close() error {
	err := b.listener.Close()
	b.mu.Lock()
	for conn := range b.open {
		conn.Close()
	}
	b.mu.Unlock()
	b.calls.Wait()
	return err
}

// answer listens until the far side hangs up, or the time is over.
func (b *bot) answer(conn net.Conn) {
	defer b.calls.Done()
	defer func() {
		b.mu.Lock()
		delete(b.open, conn)
		b.mu.Unlock()
		conn.Close()
	}()
	for {
		var head [3]byte
		_, err := io.ReadFull(conn, head[:])
		body := make([]byte, binary.BigEndian.Uint16(head[1:]))
		if err == nil {
			_, err = io.ReadFull(conn, body)
		}
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			_, _ = conn.Write([]byte{botHangup, 0, 0}) // it may have hung up just now
			return
		case err != nil || head[0] == botHangup:
			return
		case head[0] == botUUID && len(body) > 0:
			_ = conn.SetReadDeadline(time.Now().Add(time.Duration(body[len(body)-1]) * time.Second)) // of a TCP connection it works
		}
	}
}
