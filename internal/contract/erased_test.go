package contract

import (
	"testing"

	"github.com/voipd/voipd/store"
)

// TestErasedIsTheStores: the store writes the change itself, in the transaction that erases.
func TestErasedIsTheStores(t *testing.T) {
	t.Parallel()
	if RecordErased != store.Erased {
		t.Errorf("the store tells %q, want %q", store.Erased, RecordErased)
	}
}
