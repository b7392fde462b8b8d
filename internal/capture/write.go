package capture

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/voipd/voipd/ami"
)

// Record logs in to a PBX and writes what it sends to the file at path and its
// index beside it, until ctx ends. It returns how many bytes it wrote. A lost
// link is made anew; its bytes follow in the same file. path must not exist.
func Record(ctx context.Context, opt ami.Options, path string) (int64, error) {
	if filepath.Ext(path) != ".txt" {
		return 0, fmt.Errorf("write capture: the file's name must end in .txt, have %s", path)
	}
	w := &writer{}
	var err error
	for _, f := range []struct {
		to   **os.File
		path string
	}{{&w.bytes, path}, {&w.index, indexPath(path)}} {
		if *f.to, err = os.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
			return 0, fmt.Errorf("write capture: %w", err)
		}
		defer (*f.to).Close()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w.failed = cancel
	opt.Dialer = tap{w}
	opt.Handle = func(*ami.Message, time.Time) {}
	client, err := ami.NewClient(opt)
	if err != nil {
		return 0, err
	}
	_ = client.Run(ctx) // it ends because ctx did
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return w.written, cause
	}
	return w.written, errors.Join(w.bytes.Sync(), w.index.Sync())
}

// writer writes pieces as they come.
type writer struct {
	mu           sync.Mutex
	bytes, index *os.File
	written      int64
	failed       context.CancelCauseFunc
}

func (w *writer) piece(p []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err1 := fmt.Fprintf(w.index, "%.4f %d\n", float64(time.Now().UnixMicro())/1e6, w.written)
	n, err2 := w.bytes.Write(p)
	w.written += int64(n)
	if err := errors.Join(err1, err2); err != nil {
		w.failed(fmt.Errorf("write capture: %w", err))
	}
}

// tap is a dialer whose connections copy what they read.
type tap struct{ to *writer }

func (t tap) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &tapped{conn, t.to}, nil
}

type tapped struct {
	net.Conn
	to *writer
}

func (t *tapped) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	if n > 0 {
		t.to.piece(p[:n])
	}
	return n, err
}
