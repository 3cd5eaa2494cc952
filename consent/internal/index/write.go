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
	if was, _ := x.identities.find(split(k)); was != n {
		x.countKey(n)
	}
	x.identities[split(k).shard()].bind(split(k), n)
}

func (x *Index) countKey(n Number) {
	p := x.pages[0].make(n, 0)
	p.setHead(p.head().withKey())
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
// after Set has returned sees it. A rank beyond the last is ignored: nothing is ever known of it.
func (x *Index) Set(number Number, rank int, w Word) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if number == 0 || rank < 0 || rank >= Ranks {
		return
	}
	p := x.change(number)
	page, rank := &x.pages[rank/perPage], rank%perPage
	if page != &x.pages[0] {
		p = page.make(number, 0).welcome()
	}
	mask := p[maskCell].Load()
	if mask&(1<<rank) != 0 {
		p[wordCells+bits.OnesCount64(mask&(1<<rank-1))].Store(uint64(w))
		return
	}
	if n := bits.OnesCount64(mask) + 1; n > p.room() {
		p = page.make(number, n)
	}
	p.add(rank, w)
}

// welcome makes the person present.
func (p person) welcome() person {
	if h := p.head(); !h.present() {
		p.setHead(h.next() | headPresent)
	}
	return p
}

// SetFlags changes what holds for a person whatever the purpose, and adds the person where there is none.
func (x *Index) SetFlags(n Number, f Flags) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if n == 0 {
		return
	}
	p := x.change(n)
	p.setHead(p.head().withFlags(f))
}

// Remove forgets a person: flags and words. Keys are unbound by the caller, who knows them; one that was left leads to
// a number that Look denies.
func (x *Index) Remove(n Number) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if p := x.at(n); p == nil || !p.head().present() {
		return
	}
	x.keepPerson(n)
	for i := range x.pages {
		if p := x.pages[i].at(n); p != nil {
			p.setHead(p.head().next()&headVersion | headKeys)
			for j := maskCell; j < len(p); j++ {
				p[j].Store(0)
			}
		}
	}
	x.count.Add(-1)
}

// change is a person about to be changed: added where missing, and kept as it was for the snapshot being taken.
func (x *Index) change(n Number) person {
	p := x.pages[0].make(n, 0)
	x.keepPerson(n)
	if !p.head().present() {
		x.count.Add(1)
	}
	return p.welcome()
}
