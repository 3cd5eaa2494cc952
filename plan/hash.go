package plan

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash"
	"math/bits"
	"slices"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// hashVersion changes whenever the same plan would hash differently.
const hashVersion = "ombud plan 1"

// Hash is what a person approves: everything the plan says except how long it may take and the hash
// itself. 64 hexadecimal digits; people compare the first 16. A missing index is no part of it: whether
// it is worth a warning follows from a measured time, and a busy machine is no reason to ask again.
func Hash(p *Plan) string {
	c := *p
	c.Hash, c.Estimate = "", 0
	c.Warnings = slices.DeleteFunc(slices.Clone(c.Warnings), func(w Warning) bool { return w.Code == missingIndex })
	for i := range c.Warnings {
		c.Warnings[i].CostMS = 0
	}
	b, err := json.Marshal(c)
	if err != nil {
		return "" // no field of a Plan can fail to marshal
	}
	h := sha256.New()
	h.Write([]byte(hashVersion + "\n"))
	h.Write(b)
	return hex.EncodeToString(h.Sum(nil))
}

// sum adds keyed row hashes modulo 2^256: order does not matter, and equal rows do not cancel as
// they would under xor.
type sum [4]uint64

func (s *sum) add(o sum) {
	var carry uint64
	for i := range s {
		s[i], carry = bits.Add64(s[i], o[i], carry)
	}
}

func (s sum) hex() string {
	var b [32]byte
	for i, w := range s {
		binary.LittleEndian.PutUint64(b[8*i:], w)
	}
	return hex.EncodeToString(b[:])
}

// summer hashes rows under a key of the request, so that a checksum cannot be tested against guesses.
type summer struct {
	mac hash.Hash
	buf []byte
}

func (e *Engine) summer(request string) *summer {
	k := e.cfg.Vault.MAC("plan/rows", []byte(request))
	return &summer{mac: hmac.New(sha256.New, k[:])}
}

func (s *summer) row(d *catalog.Dataset, row []connector.Value) sum {
	s.buf = append(s.buf[:0], d.ID()...)
	s.buf = append(s.buf, 0)
	s.buf = appendValues(s.buf, row)
	s.mac.Reset()
	s.mac.Write(s.buf)
	var out [32]byte
	s.mac.Sum(out[:0])
	var v sum
	for i := range v {
		v[i] = binary.LittleEndian.Uint64(out[8*i:])
	}
	return v
}

// identityCommitment stands for who was asked about, without saying who.
func (e *Engine) identityCommitment(q Question) string {
	var ids [][]byte
	for _, p := range q.People {
		var one []string
		for _, id := range p.Identities {
			one = append(one, id.Kind+"="+connector.Fold(id.Value))
		}
		slices.Sort(one)
		b, err := json.Marshal(one)
		if err != nil {
			continue // strings always marshal
		}
		ids = append(ids, append(b, boolByte(p.Same)))
	}
	slices.SortFunc(ids, slices.Compare)
	m := e.cfg.Vault.MAC("plan/identities", append([][]byte{[]byte(q.Request)}, ids...)...)
	return hex.EncodeToString(m[:16])
}

// fingerprint covers the make of every touched dataset and of all with an edge to one.
func (w *walk) fingerprint(groups []*group) string {
	near := map[*catalog.Dataset]bool{}
	for _, g := range groups {
		near[g.d] = true
		for _, e := range slices.Concat(g.d.In, g.d.Out) {
			near[e.Child], near[e.Parent] = true, true
		}
	}
	h := sha256.New()
	for _, d := range w.g.Datasets {
		if near[d] {
			h.Write(w.l.digest(d))
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// bodyHash names a trigger's body without showing it.
func bodyHash(body string) string {
	h := sha256.Sum256([]byte(body))
	return hex.EncodeToString(h[:4])
}
