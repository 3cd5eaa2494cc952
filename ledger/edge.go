package ledger

import (
	"crypto/sha256"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
	tileLevels = epochShift / tileHeight
)

// edge is the right edge of the tree: all that is needed to grow it. Copying an edge keeps it as it is: a copy may grow
// on without changing the original's meaning, as hashes are only ever added behind what the original can see.
type edge struct {
	size  int64
	nodes [epochShift + 1]tlog.Hash   // nodes[k] is the complete subtree of 2^k leaves, where size has bit k
	tiles [tileLevels + 1][]tlog.Hash // tiles[l] is the unfinished tile of level l ≥ 1
}

// tile is a stored tile: level l, number n, its hashes so far.
type tile struct {
	level  int
	n      int64
	hashes []tlog.Hash
}

// add appends a leaf and gives the tiles that changed, about one per 256 leaves.
func (e *edge) add(leaf tlog.Hash) []tile { return e.push(0, leaf) }

// push appends a complete subtree of 2^level leaves; size must be a multiple of that.
func (e *edge) push(level int, h tlog.Hash) (changed []tile) {
	before := e.size
	e.size += 1 << level
	changed = e.note(changed, level, h)
	for ; before>>level&1 == 1; level++ {
		h = tlog.NodeHash(e.nodes[level], h)
		changed = e.note(changed, level+1, h)
	}
	e.nodes[level] = h
	return changed
}

// note puts a completed subtree into its tile, if its level has one.
func (e *edge) note(changed []tile, level int, h tlog.Hash) []tile {
	l := level / tileHeight
	if level%tileHeight != 0 || l == 0 || l > tileLevels {
		return changed
	}
	e.tiles[l] = append(e.tiles[l], h)
	t := tile{level: l, n: (e.size>>level - 1) / tileWidth, hashes: e.tiles[l]}
	if len(e.tiles[l]) == tileWidth {
		e.tiles[l] = nil
	}
	return append(changed, t)
}

// root is the hash of the whole tree.
func (e *edge) root() tlog.Hash {
	h, begun := tlog.Hash(sha256.Sum256(nil)), false
	for level := range e.nodes {
		if e.size>>level&1 == 0 {
			continue
		}
		if begun {
			h = tlog.NodeHash(e.nodes[level], h)
		} else {
			h, begun = e.nodes[level], true
		}
	}
	return h
}
