package plan

import "encoding/binary"

// hashes is an index over pages, from the hash of a key to the numbers of the rows that may have it:
// a page is chosen by the first bits of a hash, and a full one runs over into the next. It grows by doubling.
type hashes struct {
	p    *pages
	at   []uint32 // 1<<bits pages
	bits int
	n    int
	last struct { // where a key was put that many rows have
		hash uint32
		page int
	}
}

const (
	entrySize = 8 // hash and row
	entries   = (pageSize - 2) / entrySize
)

func newHashes(p *pages) *hashes { return &hashes{p: p, at: []uint32{p.alloc()}} }

func (h *hashes) add(hash, row uint32) {
	if h.n >= len(h.at)*entries/10*7 {
		h.grow()
	}
	h.n++
	h.put(hash, row)
}

func (h *hashes) put(hash, row uint32) {
	i := h.first(hash)
	if h.last.hash == hash {
		i = h.last.page
	}
	pg := h.p.page(h.at[i])
	for filled(pg) == entries {
		i = (i + 1) % len(h.at)
		pg = h.p.page(h.at[i])
	}
	n := filled(pg)
	e := pg.data[2+n*entrySize:]
	binary.LittleEndian.PutUint32(e, hash)
	binary.LittleEndian.PutUint32(e[4:], row)
	binary.LittleEndian.PutUint16(pg.data[:], uint16(n+1))
	pg.dirty = true
	h.last.hash, h.last.page = hash, i
}

func (h *hashes) first(hash uint32) int { return int(uint64(hash) >> (32 - h.bits)) }

func filled(pg *page) int { return min(entries, int(binary.LittleEndian.Uint16(pg.data[:]))) }

// find gives the rows whose keys have the hash, in no order.
func (h *hashes) find(hash uint32) []uint32 {
	var out []uint32
	i := h.first(hash)
	for range h.at {
		pg := h.p.page(h.at[i])
		n := filled(pg)
		for e := pg.data[2 : 2+n*entrySize]; len(e) > 0; e = e[entrySize:] {
			if binary.LittleEndian.Uint32(e) == hash {
				out = append(out, binary.LittleEndian.Uint32(e[4:]))
			}
		}
		if n < entries {
			break
		}
		i = (i + 1) % len(h.at)
	}
	return out
}

func (h *hashes) grow() {
	old := h.at
	h.bits++
	h.at = make([]uint32, 0, 2*len(old))
	for range 2 * len(old) {
		h.at = append(h.at, h.p.alloc())
	}
	h.last.page = h.first(h.last.hash)
	var e [entries * entrySize]byte
	for _, no := range old {
		pg := h.p.page(no)
		n := copy(e[:], pg.data[2:2+filled(pg)*entrySize])
		for b := e[:n]; len(b) > 0; b = b[entrySize:] {
			h.put(binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:]))
		}
		h.p.release(no)
	}
}
