package ledger

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/ombudhq/ombud/internal/fault"
)

// Verified is what a verification of the whole ledger came to, and when.
type Verified struct {
	At time.Time `json:"at"`
	Report
}

// Place is where checkpoints are kept outside the database.
type Place struct {
	Name    string
	Size    int64     // entries that the newest checkpoint there covers; 0 when there is none
	Written time.Time // when that one came there; zero when there is none
	Problem string    // why it cannot be read
}

// Places are the heads as they are now, in the order of the configuration. They are read anew, and verified; of a bucket,
// the folder that is a copy of it.
func (l *Ledger) Places() []Place {
	var out []Place
	for _, dir := range l.c.Heads {
		out = append(out, l.place(dir))
	}
	return out
}

func (l *Ledger) place(dir string) Place {
	p := Place{Name: dir}
	if b := l.c.Buckets[dir]; b != nil {
		p.Name = b.Name()
	}
	heads, err := openHeads(context.Background(), Config{DB: l.c.DB, Heads: []string{dir}}, l.verifier)
	if err != nil {
		p.Problem = "it cannot be read"
		if fault.KindOf(err) == fault.Integrity {
			p.Problem = "what lies there was not signed by this key"
		}
		return p
	}
	if p.Size = heads[0].newest.size; p.Size == 0 {
		return p
	}
	if info, err := os.Stat(filepath.Join(dir, headsFile)); err == nil {
		p.Written = info.ModTime()
	}
	return p
}
