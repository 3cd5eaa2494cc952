package index

import "math/bits"

// Add makes a person known who has no flags, no words and no keys yet. Adding a person again changes nothing, nor does
// adding nobody.
func (x *Index) Add(n Number) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if n != 0 {
		x.change(n)
	}
}

// Bind lets a key lead to a person. A key leads to one person: to whom it led before it leads no more.
func (x *Index) Bind(k Key, n Number) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if n == 0 {
		return
	}
	x.keepKey(split(k))
	x.identities[split(k).shard()].bind(split(k), n)
}

// Unbind forgets a key: its bytes are gone from the index when Unbind returns, but for a reader that came before and a
// snapshot being taken.
func (x *Index) Unbind(k Key) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.keepKey(split(k))
	x.identities[split(k).shard()].unbind(split(k))
}

// Set changes what is known of a person and the purpose of a rank, and adds the person where there is none. Who looks
// after Set has returned sees it. A rank beyond the 64 is ignored: nothing is ever known of it.
func (x *Index) Set(n Number, rank int, w Word) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if n == 0 || rank < 0 || rank >= Ranks {
		return
	}
	p := x.change(n)
	have, bit := p.have.Load(), uint64(1)<<rank
	if have&bit == 0 {
		x.widen(p, rank, w)
		return
	}
	x.words.at(head(p.head.Load()).block(), bits.OnesCount64(have&(bit-1))).Store(uint64(w))
}

// widen moves a person to a block that has a word for one rank more.
func (x *Index) widen(p *person, rank int, w Word) {
	h, have := head(p.head.Load()), p.have.Load()
	n, at := bits.OnesCount64(have), bits.OnesCount64(have&(1<<rank-1))
	block := x.words.alloc(n + 1)
	for i := range n {
		j := i
		if i >= at {
			j++
		}
		x.words.at(block, j).Store(x.words.at(h.block(), i).Load())
	}
	x.words.at(block, at).Store(uint64(w))
	adding := h.withAdding(rank)
	p.head.Store(uint64(adding))
	p.have.Store(have | 1<<rank)
	p.head.Store(uint64(adding.withBlock(block)))
	x.words.release(h.block(), n)
}

// SetFlags changes what holds for a person whatever the purpose, and adds the person where there is none.
func (x *Index) SetFlags(n Number, f Flags) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if n == 0 {
		return
	}
	p := x.change(n)
	p.head.Store(uint64(head(p.head.Load()).withFlags(f)))
}

// Remove forgets a person: flags and words. Keys are unbound by the caller, who knows them; one that was left leads to
// a number that Look denies.
func (x *Index) Remove(n Number) {
	x.mu.Lock()
	defer x.mu.Unlock()
	p := x.people.at(n)
	if p == nil || !head(p.head.Load()).present() {
		return
	}
	x.keepPerson(n)
	h := head(p.head.Load())
	p.head.Store(uint64(h.next() & headVersion))
	size := bits.OnesCount64(p.have.Swap(0))
	for i := range size {
		x.words.at(h.block(), i).Store(0)
	}
	x.words.release(h.block(), size)
	x.people.count.Add(-1)
}

// change is a person about to be changed: added where missing, and kept as it was for the snapshot being taken.
func (x *Index) change(n Number) *person {
	p := x.people.make(n)
	x.keepPerson(n)
	if h := head(p.head.Load()); !h.present() {
		p.head.Store(uint64(h.next() | headPresent))
		x.people.count.Add(1)
	}
	return p
}
