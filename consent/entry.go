package consent

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/ombudhq/ombud/consent/internal/index"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/subject"
)

// Kinds of ledger entries that this package writes.
const (
	kindGiven     = "consent.given"
	kindPending   = "consent.pending"
	kindWithdrawn = "consent.withdrawn" // also of what is kept outside the store
	kindExpired   = "consent.expired"
)

// Shown is the notice a person saw.
type Shown struct {
	ID       string `json:"id"`
	Version  string `json:"version"`
	Language string `json:"language,omitempty"`
	SHA256   string `json:"sha256,omitempty"` // of its words; empty when the words are not held
}

// String names it as it is given on the command line: ID@VERSION/LANGUAGE.
func (n Shown) String() string {
	if n.Language == "" {
		return n.ID + "@" + n.Version
	}
	return n.ID + "@" + n.Version + "/" + n.Language
}

// given is the content of an entry that says yes, or that a yes waits for its confirmation.
type given struct {
	At         time.Time         `json:"at"`
	Purpose    string            `json:"purpose"`
	Categories []string          `json:"categories,omitempty"`
	Partial    bool              `json:"partial,omitempty"` // not all the categories the purpose had
	Method     string            `json:"method"`
	Notice     Shown             `json:"notice"`
	Expires    time.Time         `json:"expires,omitzero"`
	Seen       int64             `json:"seen_revision,omitempty"`
	Confirms   string            `json:"confirms,omitempty"` // id of the consent that was pending
	Renews     string            `json:"renews,omitempty"`   // id of the consent it follows
	Interface  string            `json:"interface,omitempty"`
	UserAgent  string            `json:"user_agent,omitempty"`
	IP         string            `json:"ip,omitempty"` // keyed hash
	HowToEnd   string            `json:"withdraw_by,omitempty"`
	Metadata   map[string]string `json:"metadata,omitempty"`
	TCF        string            `json:"tcf,omitempty"`
	GPP        string            `json:"gpp,omitempty"`
	Source     string            `json:"source,omitempty"` // of an import or an event
	Given      time.Time         `json:"given,omitzero"`   // when an imported one was given, by its source
	Lapses     time.Time         `json:"lapses,omitzero"`  // of a pending one
	Token      string            `json:"token,omitempty"`  // of a pending one: hash of what confirms it
}

// ended is the content of an entry that says no, wholly or in part.
type ended struct {
	At         time.Time  `json:"at"`
	Purposes   []string   `json:"purposes,omitempty"` // withdrawn as a whole, also where nothing had been given
	Narrowed   []narrowed `json:"narrowed,omitempty"`
	Consents   []string   `json:"consents,omitempty"` // ids of those that ended
	Categories []string   `json:"categories,omitempty"`
	Within     []string   `json:"within,omitempty"` // the only purposes that the categories were said of
	All        bool       `json:"all,omitempty"`
	Reason     string     `json:"reason,omitempty"`
	Automatic  bool       `json:"automatic,omitempty"`
	Source     string     `json:"source,omitempty"`
	Said       time.Time  `json:"said,omitzero"` // of an imported one: when, by its source
}

// narrowed is a consent that stands for the rest of its categories.
type narrowed struct {
	Purpose    string   `json:"purpose"`
	Categories []string `json:"categories"` // those it still covers
}

// state is what holds between a person and a purpose.
type state struct {
	word index.Word
	aside
}

// states tells what holds between a person and the purpose of a rank.
type states func(subject.Number, int) state

// aside is what does not fit into a word.
type aside struct {
	categories []string     // what a partial consent covers
	withdrawn  int64        // revision of the last withdrawal, where a later consent stands in the word
	pending    int64        // revision of the entry that waits for its confirmation
	lapses     index.Minute // the last in which that can come
}

func (a aside) empty() bool { return a.categories == nil && a.withdrawn == 0 && a.pending == 0 }

// partial marks a word whose categories lie aside.
const partial = 1

// lastWithdrawal is its revision; 0 when there never was one.
func (s state) lastWithdrawal() int64 {
	if s.word != 0 && s.word.Expiry() == index.NotGiven {
		return int64(s.word.Revision())
	}
	return s.withdrawn
}

// change is what an entry makes of a state.
type change struct {
	person subject.Number
	rank   int
	state  state
}

// effects are the changes of an entry, given the states before it. The acts and the rebuilding of the index both ask
// here, so that one cannot come to another result than the other.
func (s *Service) effects(kind string, n subject.Number, revision int64, content any, before states) ([]change, error) {
	switch c := content.(type) {
	case *given:
		rank, ok := s.rank(c.Purpose)
		if !ok {
			return nil, fmt.Errorf("an entry names a purpose that never was")
		}
		if kind == kindPending {
			next := before(n, rank)
			next.pending, next.lapses = revision, index.MinuteOf(c.Lapses)
			return []change{{n, rank, next}}, nil
		}
		next, err := granted(c, revision, before(n, rank))
		return []change{{n, rank, next}}, err
	case *ended:
		return s.endings(n, revision, c, before)
	}
	return nil, nil
}

func granted(c *given, revision int64, was state) (state, error) {
	expiry, mark := index.Never, uint8(0)
	if !c.Expires.IsZero() {
		expiry = index.MinuteOf(c.Expires)
	}
	next := state{aside: aside{withdrawn: was.lastWithdrawal()}}
	if c.Partial {
		mark, next.categories = partial, c.Categories
	}
	var err error
	next.word, err = index.NewWord(expiry, uint64(revision), mark)
	return next, err
}

func (s *Service) endings(n subject.Number, revision int64, c *ended, before states) ([]change, error) {
	var out []change
	for _, p := range c.Purposes {
		rank, ok := s.rank(p)
		if !ok {
			return nil, fmt.Errorf("an entry names a purpose that never was")
		}
		word, err := index.NewWord(index.NotGiven, uint64(revision), 0)
		if err != nil {
			return nil, err
		}
		out = append(out, change{n, rank, state{word: word}})
	}
	for _, p := range c.Narrowed {
		rank, ok := s.rank(p.Purpose)
		if !ok {
			return nil, fmt.Errorf("an entry names a purpose that never was")
		}
		next := before(n, rank)
		word, err := index.NewWord(next.word.Expiry(), next.word.Revision(), partial)
		if err != nil {
			return nil, err
		}
		next.word, next.categories, next.withdrawn = word, p.Categories, revision
		out = append(out, change{n, rank, next})
	}
	return out, nil
}

// decode reads the content of an entry of ours; nil for other kinds, and for one that was erased.
func decode(r ledger.Row) (any, error) {
	var content any
	switch r.Kind {
	case kindGiven, kindPending:
		content = &given{}
	case kindWithdrawn:
		content = &ended{}
	default:
		return nil, nil
	}
	if r.Erased {
		return nil, nil
	}
	if err := json.Unmarshal(r.Content, content); err != nil {
		return nil, fmt.Errorf("entry %d: %w", r.ID, err)
	}
	return content, nil
}

// covers tells whether a consent's list names a category.
func covers(categories []string, category string) bool { return slices.Contains(categories, category) }
