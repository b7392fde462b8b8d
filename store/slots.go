package store

import (
	"encoding/binary"
	"math/bits"
)

const (
	// slotBits of a place are its slot in a chunk.
	slotBits = 13
	// chunkSlots is how many records a chunk holds. A bit for each is 960 bytes:
	// more than 1,000 would not stay in a page of an index.
	chunkSlots = 7680
	chunkWords = chunkSlots / 64
	bitmapSize = chunkSlots / 8
)

func placeOf(chunk int64, slot int) int64 { return chunk<<slotBits | int64(slot) }
func chunkOf(place int64) int64           { return place >> slotBits }
func slotOf(place int64) int              { return int(place & (1<<slotBits - 1)) }

// slots is a set of slots of one chunk. In the database it is two bytes for each
// where they are few, else a bit for each that there may be.
type slots [chunkWords]uint64

func (s *slots) add(slot int)  { s[slot>>6] |= 1 << (slot & 63) }
func (s *slots) drop(slot int) { s[slot>>6] &^= 1 << (slot & 63) }

func (s *slots) has(slot int) bool { return s[slot>>6]&(1<<(slot&63)) != 0 }

// read adds those of a text that pack wrote.
func (s *slots) read(packed []byte) {
	if len(packed) == bitmapSize {
		for i := range s {
			s[i] |= binary.LittleEndian.Uint64(packed[i*8:])
		}
		return
	}
	for i := 0; i+1 < len(packed); i += 2 {
		if slot := int(binary.LittleEndian.Uint16(packed[i:])); slot < chunkSlots {
			s.add(slot)
		}
	}
}

// pack appends them as the database has them.
func (s *slots) pack(dst []byte) []byte {
	if s.count()*2 < bitmapSize {
		for slot := range s.all {
			dst = binary.LittleEndian.AppendUint16(dst, uint16(slot))
		}
		return dst
	}
	for _, w := range s {
		dst = binary.LittleEndian.AppendUint64(dst, w)
	}
	return dst
}

func (s *slots) count() (n int) {
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// and keeps those that are in o as well, but keeps those that are not, and tells
// whether any is left.
func (s *slots) and(o *slots) (some bool) {
	var left uint64
	for i := range s {
		s[i] &= o[i]
		left |= s[i]
	}
	return left != 0
}

func (s *slots) but(o *slots) (some bool) {
	var left uint64
	for i := range s {
		s[i] &^= o[i]
		left |= s[i]
	}
	return left != 0
}

// all gives each, in ascending order.
func (s *slots) all(yield func(slot int) bool) {
	for i, w := range s {
		for ; w != 0; w &= w - 1 {
			if !yield(i<<6 + bits.TrailingZeros64(w)) {
				return
			}
		}
	}
}
