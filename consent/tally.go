package consent

import (
	"sync"
	"time"

	"github.com/ombudhq/ombud/consent/internal/index"
	"github.com/ombudhq/ombud/subject"
)

// tally counts, per purpose and day, who came to say yes and who no longer does. It is a projection like the index, and
// lies in its snapshot.
type tally struct {
	mu   sync.Mutex
	days map[tallyKey]Count
}

type tallyKey struct {
	rank int
	day  int64 // since 1970
}

// Count of people in a span of time.
type Count struct {
	Yes int `json:"y"` // said yes, who had not stood
	No  int `json:"n"` // said no, or let a yes lapse
}

const daySeconds = 24 * 60 * 60

func dayOf(t time.Time) int64 { return t.Unix() / daySeconds }

func (t *tally) add(rank int, at time.Time, c Count) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.days == nil {
		t.days = map[tallyKey]Count{}
	}
	k := tallyKey{rank, dayOf(at)}
	was := t.days[k]
	t.days[k] = Count{was.Yes + c.Yes, was.No + c.No}
}

// between sums the days from one on and before another.
func (t *tally) between(rank int, from, to int64) (out Count) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for day := from; day < to; day++ {
		c := t.days[tallyKey{rank, day}]
		out.Yes, out.No = out.Yes+c.Yes, out.No+c.No
	}
	return out
}

// count notes what changes made of the states before them, at the moment of their entry.
func (s *Service) count(at time.Time, changes []change, before func(subject.Number, int) state) {
	now := index.MinuteOf(at)
	for _, c := range changes {
		was, is := before(c.person, c.rank).word.Live(now), c.state.word.Live(now)
		switch {
		case is && !was:
			s.tally.add(c.rank, at, Count{Yes: 1})
		case was && !is:
			s.tally.add(c.rank, at, Count{No: 1})
		}
	}
}

// actAt is when the act of an entry was; of an imported one, when its source heard it.
func actAt(content any) time.Time {
	at, said := time.Time{}, time.Time{}
	switch c := content.(type) {
	case *given:
		at, said = c.At, c.Given
	case *ended:
		at, said = c.At, c.Said
	}
	if !said.IsZero() {
		return said
	}
	return at
}

// Week is a span of seven days that begins on a Monday.
type Week struct {
	From time.Time
	Count
}

// Weeks are the newest n weeks of a purpose, oldest first; the last is the one under way.
func (s *Service) Weeks(purposeID string, n int) []Week {
	rank, ok := s.rank(purposeID)
	if !ok {
		return nil
	}
	today := s.cfg.Clock.Now().UTC()
	monday := dayOf(today) - int64(today.Weekday()+6)%7
	out := make([]Week, 0, n)
	for i := n - 1; i >= 0; i-- {
		from := monday - 7*int64(i)
		out = append(out, Week{time.Unix(from*daySeconds, 0).UTC(), s.tally.between(rank, from, from+7)})
	}
	return out
}

// Overview says how many people stand where with a purpose.
type Overview struct {
	Yes      int // consents that stand
	Ended    int // in the last 30 days
	Expiring int // in the next 30 days
}

// Overviews are those of every purpose that leans on consent, by id, and how many people are known. It goes through the
// whole index.
func (s *Service) Overviews() (byPurpose map[string]Overview, people int) {
	const month = 30
	now := s.cfg.Clock.Now()
	minute, soon := index.MinuteOf(now), index.MinuteOf(now.AddDate(0, 0, month))
	var yes, expiring [index.Ranks]int
	for n := range s.standing() {
		people++
		for rank, word := range s.index.Words(n) {
			if word.Live(minute) {
				yes[rank]++
				if !word.Live(soon) {
					expiring[rank]++
				}
			}
		}
	}
	byPurpose = map[string]Overview{}
	for _, rule := range s.cfg.Purposes.Now().Ever() {
		if rank := rule.Rank; !rule.Retired && rank < index.Ranks {
			ended := s.tally.between(rank, dayOf(now)-month, dayOf(now)+1).No
			byPurpose[rule.ID] = Overview{yes[rank], ended, expiring[rank]}
		}
	}
	return byPurpose, people
}
