package convert

// Waiting is how many wait for conversions.
func (t *Transcoder) Waiting() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for _, f := range t.flights {
		n += f.waiting
	}
	return n
}
