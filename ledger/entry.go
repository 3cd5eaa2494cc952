package ledger

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/ombudhq/ombud/vault"
)

const (
	epochShift   = 40 // revision = epoch << epochShift | id
	maxEpoch     = 1<<13 - 1
	saltSize     = 16
	payloadLabel = "ledger/payload"
	placeLabel   = "ledger/place"
	tagSize      = 16
	leafLabelled = "ledger" // of payloads sealed under the leaf
	leafLabel    = "ombud/ledger/v1\x00"
	maxName      = 64
	maxMinute    = 1 << 32 // far beyond any date, and far from overflow
)

// groups are what is committed to apart, each under its own salt.
var groups = [3]string{"actor\x00", "subject\x00", "content\x00"}

var errNotCommitted = errors.New("the payload is not what the entry commits to")

// Entry is what happened. Kind and Result are public for ever: lower-case words like "request.completed" and "ok", without
// anything that links a person. Subject is an opaque id, or the keyed tokens of one person with blanks between them, never
// an identity. Content is kept as JSON. Resource is what was done to, where the call does not say it, and Fields are the names of
// what somebody was shown.
type Entry struct {
	Kind    string
	Result  string
	Actor   string
	Subject string
	Slot    vault.Slot // of the key of the person it is about; what is sealed under it is erased with that key
	Content any

	Resource string
	Fields   []string
}

// Position is where an entry stands: ID counts from 1 without gaps, Revision is epoch·2^40 + ID.
type Position struct {
	ID       int64 `json:"id"`
	Revision int64 `json:"revision"`
}

// meta is the public part of an entry.
type meta struct {
	kind, result string
	minute       int64 // Unix time / 60
	revision     int64
}

// valid tells whether m can be the meta of any entry; encode is one-to-one on those.
func (m meta) valid() bool {
	return isName(m.kind) && isName(m.result) && m.minute >= 0 && m.minute < maxMinute &&
		m.revision > 1<<epochShift && m.revision>>epochShift <= maxEpoch
}

// isName admits what needs no escaping anywhere.
func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return s != "" && len(s) <= maxName
}

func (m meta) time() time.Time { return time.Unix(m.minute*60, 0).UTC() }

func (m meta) id() int64 { return m.revision & (1<<epochShift - 1) }

// encode gives the bytes the leaf is made of: JSON, with the keys in this order.
func (m meta) encode() []byte { return m.append(make([]byte, 0, 160)) }

func (m meta) append(b []byte) []byte {
	b = append(b, `{"at":"`...)
	b = m.time().AppendFormat(b, time.RFC3339)
	b = append(b[:len(b)-len(":00Z")], 'Z') // the library writes RFC 3339 several times as fast as a format of ours
	b = append(append(b, `","kind":"`...), m.kind...)
	b = append(append(b, `","result":"`...), m.result...)
	b = append(b, `","revision":`...)
	return append(strconv.AppendInt(b, m.revision, 10), '}')
}

// preimage is what a leaf is the RFC 6962 hash of: length of meta, meta, and the three commitments.
func preimage(meta, commitments []byte) []byte {
	b := make([]byte, 0, 4+len(meta)+len(commitments))
	b = binary.BigEndian.AppendUint32(b, uint32(len(meta)))
	return append(append(b, meta...), commitments...)
}

// leafOf hashes meta bytes and the three commitments to the leaf; RecordHash adds the 0x00.
func leafOf(meta, commitments []byte) tlog.Hash { return tlog.RecordHash(preimage(meta, commitments)) }

// leaf is leafOf of the meta; it allocates nothing.
func (m meta) leaf(commitments []byte) tlog.Hash {
	var room [512]byte
	b := m.append(room[:1+4])
	binary.BigEndian.PutUint32(b[1:], uint32(len(b)-1-4))
	return sha256.Sum256(append(b, commitments...))
}

// payload is the private part of an entry: what was committed to, with the salts.
type payload struct {
	salts  [3][saltSize]byte
	values [3][]byte // actor, subject, content
}

// writer is content that appends itself as JSON, quicker than by reflection.
type writer interface {
	AppendJSON([]byte) ([]byte, error)
}

// scratch is where payloads are made, one after the other.
type scratch struct {
	salts          [3 * saltSize]byte
	content, plain []byte
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// free lets others use it, and leaves nothing of the payload there.
func (r *scratch) free() {
	clear(r.salts[:])
	clear(r.content)
	clear(r.plain)
	if len(r.plain) < 1<<16 {
		scratches.Put(r)
	}
}

// newPayload is one whose content lies in r.
func newPayload(r *scratch, e Entry, told Told, via *Via) (p payload, err error) {
	p.values = [3][]byte{actorBytes(e.Actor, told, via), []byte(e.Subject)}
	switch c := e.Content.(type) {
	case nil:
	case writer:
		r.content, err = c.AppendJSON(r.content[:0])
		p.values[2] = r.content
	default:
		p.values[2], err = json.Marshal(c)
	}
	if err != nil {
		return p, fmt.Errorf("encoding the content of a ledger entry: %w", err)
	}
	rand.Read(r.salts[:]) // never fails: it ends the process instead
	for i := range p.salts {
		copy(p.salts[i][:], r.salts[i*saltSize:])
	}
	return p, nil
}

// commitments are c1, c2 and c3, joined.
func (p *payload) commitments() []byte { return p.commit(make([]byte, 0, 3*sha256.Size)) }

func (p *payload) commit(out []byte) []byte {
	var room [512]byte
	for i, g := range groups {
		b := append(append(append(room[:0], leafLabel...), g...), p.salts[i][:]...)
		sum := sha256.Sum256(append(b, p.values[i]...))
		out = append(out, sum[:]...)
	}
	return out
}

// encode joins salts and values, each value after its length.
func (p *payload) encode() []byte { return p.append(nil) }

func (p *payload) append(b []byte) []byte {
	for i, v := range p.values {
		b = append(b, p.salts[i][:]...)
		b = binary.BigEndian.AppendUint32(b, uint32(len(v)))
		b = append(b, v...)
	}
	return b
}

func decodePayload(b []byte) (p payload, err error) {
	for i := range p.values {
		if len(b) < saltSize+4 {
			return p, errNotCommitted
		}
		copy(p.salts[i][:], b)
		n := int64(binary.BigEndian.Uint32(b[saltSize:]))
		b = b[saltSize+4:]
		if n > int64(len(b)) {
			return p, errNotCommitted
		}
		p.values[i], b = b[:n], b[n:]
	}
	if len(b) > 0 {
		return p, errNotCommitted
	}
	return p, nil
}
