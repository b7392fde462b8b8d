package ami

import (
	"errors"
	"fmt"
	"strings"
	"sync"
)

// maxListed is how many events the answer to a List may have. Beyond it the List fails; nothing else does.
const maxListed = 100_000

// ErrDown is wrapped by the errors of Do and List while there is no session, and when it ends before the answer came.
var ErrDown = errors.New("AMI link is down")

// ActionError says that the PBX refused an action: it answered "Response: Error".
type ActionError struct {
	Action  string // its name
	Message string // in the PBX's words, such as "Permission denied"
}

func (e *ActionError) Error() string {
	return fmt.Sprintf("AMI action %s: the PBX says: %s", e.Action, e.Message)
}

// answer collects what comes for one ActionID. The response may come before or after the events of the list.
type answer struct {
	action   string
	list     bool // wants the events until the one that completes the list
	snapshot bool // they go to Handle instead of into items
	response *Message
	items    []*Message
	complete bool
	err      error
	done     chan struct{} // closed when nothing more is awaited
	heard    chan struct{} // gets one when a part of it came
}

func (a *answer) settled() bool {
	return a.err != nil || a.response != nil && (!a.list || a.complete)
}

func (a *answer) respond(m *Message) {
	a.response = m.Clone()
	if strings.EqualFold(string(m.Response()), "Error") {
		a.err = &ActionError{Action: a.action, Message: string(m.Get("Message"))}
	}
}

func (a *answer) add(m *Message) {
	switch {
	case completes(m):
		a.complete = true
	case a.snapshot:
	case len(a.items) == maxListed:
		a.err = fmt.Errorf("AMI action %s: its answer has more than %d events", a.action, maxListed)
	default:
		a.items = append(a.items, m.Clone())
	}
}

// completes: every list of Asterisk ends with "EventList: Complete"; before version 1.6 with the name alone.
func completes(m *Message) bool {
	if strings.EqualFold(string(m.Get("EventList")), "Complete") {
		return true
	}
	return strings.HasSuffix(string(m.Event()), "Complete")
}

// waiting is the answers that a link awaits, by ActionID.
type waiting struct {
	mu   sync.Mutex
	by   map[string]*answer
	gone error // set when the link is lost; then nothing can be awaited
}

func (w *waiting) add(id string, a *answer) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.gone != nil {
		return w.gone
	}
	if w.by[id] != nil {
		return fmt.Errorf("AMI action %s: ActionID %q is in use", a.action, id)
	}
	a.done, a.heard = make(chan struct{}), make(chan struct{}, 1)
	w.by[id] = a
	return nil
}

func (w *waiting) remove(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.by, id)
}

// take gives the message to whoever awaits it. taken: somebody did. handle: Handle is to have it all the same.
func (w *waiting) take(m *Message) (taken, handle bool) {
	id := m.ActionID()
	isEvent := m.Event() != nil
	if id == nil {
		return false, isEvent
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	a := w.by[string(id)]
	switch {
	case a == nil:
		return false, isEvent
	case isEvent && !a.list:
		return false, true // OriginateResponse carries the ActionID of its Originate, and is a fact about a call
	case isEvent:
		a.add(m)
	default:
		a.respond(m)
	}
	select {
	case a.heard <- struct{}{}:
	default: // it is known already
	}
	if a.settled() {
		delete(w.by, string(id))
		close(a.done)
	}
	return true, a.snapshot
}

// fail ends every wait with the reason, and every later one.
func (w *waiting) fail(reason error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gone = fmt.Errorf("%w: %w", ErrDown, reason)
	for id, a := range w.by {
		a.err = fmt.Errorf("AMI action %s: %w", a.action, w.gone)
		delete(w.by, id)
		close(a.done)
	}
}
