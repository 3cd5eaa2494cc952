package plan

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ombudhq/ombud/catalog"
)

// sought is what answers to the keys of one reference, over all acts that look for some of them.
type sought struct {
	d          *catalog.Dataset
	by         string
	found, may int64
}

func (l *looker) soughtBy(d *catalog.Dataset, a act) *sought {
	words := []string{d.ID(), strconv.FormatBool(a.breaks)}
	for i, f := range a.fence {
		words = append(words, f.columns...)
		if i > 0 {
			words = append(words, f.keys[0][0].S)
		}
	}
	by := strings.Join(words, "\x00")
	i := slices.IndexFunc(l.sought, func(s *sought) bool { return s.by == by })
	if i < 0 {
		i, l.sought = len(l.sought), append(l.sought, &sought{d: d, by: by})
	}
	return l.sought[i]
}

// weigh names what leads to the person beyond what the plan leaves.
func (l *looker) weigh() {
	for _, s := range l.sought {
		if n := s.found - s.may; n > 0 {
			l.proof[s.d.System].Closure += n
			l.residue(s.d, n, "rows lead to the person that the plan did not leave there")
		}
	}
}
