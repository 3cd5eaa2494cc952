package ledger

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
)

// chunk is how many rows a verification reads with one query: those of one tile of level 1.
const chunk = tileWidth * tileWidth

// VerifyOptions say what to compare with.
type VerifyOptions struct {
	// Checkpoint is a file of one or more checkpoints, oldest first, that was kept safer than Heads; it is used instead.
	Checkpoint string
}

// Report is what a verification found.
type Report struct {
	OK             bool   `json:"ok"`
	Entries        int64  `json:"entries"`         // good ones, from the first on
	Size           int64  `json:"size"`            // of the tree the rows make, up to the fault
	Root           string `json:"root"`            // of that tree, base64
	CheckpointSize int64  `json:"checkpoint_size"` // the newest checkpoint outside; 0 when there is none
	Uncovered      int64  `json:"uncovered"`       // entries above it: nobody outside vouches for them
	Erased         int64  `json:"erased"`          // entries whose payload is erased: they prove, but cannot be read
	Expired        int64  `json:"expired"`         // of these, those whose time was over
	FirstBad       int64  `json:"first_bad,omitempty"`
	From           int64  `json:"from,omitempty"` // with To: the fault lies in here, where FirstBad cannot be named
	To             int64  `json:"to,omitempty"`
	Problem        string `json:"problem,omitempty"`
	TookMS         int64  `json:"took_ms"`

	Witnesses []Witnessed `json:"witnesses,omitempty"` // and how far each vouches
}

// Verify is the package's Verify with the ledger's own configuration.
func (l *Ledger) Verify(ctx context.Context, o VerifyOptions) (Report, error) {
	return Verify(ctx, l.c, o)
}

// Verify reads every entry, computes the tree anew, opens every payload, and compares with the tiles and with the
// checkpoints outside. It trusts nothing the store says of itself, and works where Open refuses. What is not as it was
// gives a Report with the first bad entry, or the interval it lies in, and a fault.Integrity that says the same.
func Verify(ctx context.Context, c Config, o VerifyOptions) (Report, error) {
	l, err := prepare(c)
	if err != nil {
		return Report{}, err
	}
	start := l.c.Clock.Now()
	v := &verification{l: l, start: start, ctx: ctx, want: 1, epoch: 1, seen: map[tileKey][]tlog.Hash{}}
	defer v.close()
	if err := v.openHeads(o); err != nil {
		return Report{}, err
	}
	if err = v.ahead(); err == nil || errors.Is(err, errFound) {
		err = c.DB.Read(ctx, v.run)
	}
	if err != nil && !errors.Is(err, errFound) {
		return Report{}, err
	}
	if err := v.conclude(); err != nil {
		return Report{}, err
	}
	v.r.TookMS = l.c.Clock.Now().Sub(start).Milliseconds()
	if !v.r.OK {
		return v.r, fault.New(fault.Integrity, "the ledger is not what it was: %s", v.r.Problem)
	}
	return v.r, nil
}

// suspicion is something wrong with the entries from … to; both 0 when it is not about entries.
type suspicion struct {
	from, to int64
	problem  string
}

// verification is one run of Verify.
type verification struct {
	l     *Ledger
	ctx   context.Context
	start time.Time
	r     Report
	heads []*outside
	due   int64 // the size of the next checkpoint to compare with
	good  int64 // the newest checkpoint that fits
	want  int64 // the id that comes next
	epoch int64
	edge  edge
	seen  map[tileKey][]tlog.Hash // tiles computed since the last comparison
	found *suspicion              // what ended the reading
	tile  *suspicion              // the first tile that does not fit
}

type tileKey struct {
	level int
	n     int64
}

// errFound ends the reading: what is wrong is in found.
var errFound = errors.New("found")

// run reads all rows, then looks for what should be there beyond them.
func (v *verification) run(tx *db.Tx) error {
	if v.found != nil {
		return v.compareTiles(tx)
	}
	for {
		n, err := v.readChunk(tx)
		if err != nil && !errors.Is(err, errFound) {
			return err
		}
		if err := v.compareTiles(tx); err != nil {
			return err
		}
		if err != nil {
			return err
		}
		if n < chunk {
			return v.beyond(tx)
		}
	}
}

// readChunk reads the next rows and compares each; errFound ends it at the first that is bad.
func (v *verification) readChunk(tx *db.Tx) (n int, err error) {
	from := v.want
	if from == 1 {
		from = math.MinInt64 // nothing may stand before the first
	}
	rows, err := tx.Query(v.ctx, "select "+columns+" from ledger_entries where id >= $1 order by id limit $2", from, chunk)
	if err != nil {
		return 0, v.unreadable(err)
	}
	defer rows.Close()
	for one := v.judging(); rows.Next(); n++ {
		if err := v.next(one.scan(rows)); err != nil {
			return n, err
		}
	}
	return n, v.unreadable(rows.Err())
}

// unreadable turns damage of the store itself into a bad entry.
func (v *verification) unreadable(err error) error {
	if isDamage(v.ctx, err) {
		return v.bad("the store is damaged where entry %d should be", v.want)
	}
	return err
}

// bad names the wanted entry as the first bad one.
func (v *verification) bad(problem string, args ...any) error {
	v.found = &suspicion{v.want, v.want, fmt.Sprintf(problem, args...)}
	return errFound
}

// beyond looks for what rows and tiles should hold behind the last row.
func (v *verification) beyond(tx *db.Tx) error {
	if size := v.unreached(); size > 0 {
		return v.bad("entry %d is missing: a checkpoint outside holds %d entries", v.want, size)
	}
	src := &tileSource{ctx: v.ctx, tx: tx}
	tiles := int64(0)
	for level := 1; level <= tileLevels; level++ {
		n := v.edge.size >> (tileHeight * (level + 1))
		stored, err := v.stored(src, level, n)
		if err != nil {
			return err
		}
		tiles += n
		if len(v.edge.tiles[level]) > 0 {
			tiles++
		}
		if len(stored) > len(v.edge.tiles[level]) {
			return v.bad("entry %d is missing: tile %d/%d holds more entries", v.want, level, n)
		}
	}
	var count int64
	if err := tx.QueryRow(v.ctx, "select count(*) from ledger_tiles").Scan(&count); err != nil {
		return v.noTiles(err)
	}
	if count > tiles && v.tile == nil {
		v.tile = &suspicion{0, 0, "there are tiles that belong to no entries"}
	}
	return nil
}

// compareTiles compares the stored tiles with those computed since the last time.
func (v *verification) compareTiles(tx *db.Tx) error {
	src := &tileSource{ctx: v.ctx, tx: tx}
	for key, want := range v.seen {
		stored, err := v.stored(src, key.level, key.n)
		if err != nil {
			return err
		}
		v.compareTile(key, want, stored)
	}
	clear(v.seen)
	return nil
}

// stored reads a tile; none when what is there is not one.
func (v *verification) stored(src *tileSource, level int, n int64) ([]tlog.Hash, error) {
	hs, err := src.stored(level, n)
	if errors.Is(err, errNoTile) {
		return nil, nil
	}
	return hs, v.noTiles(err)
}

// noTiles ends the reading when the tiles are out of reach for good.
func (v *verification) noTiles(err error) error {
	if !isDamage(v.ctx, err) {
		return err
	}
	if v.found == nil {
		v.found = &suspicion{0, 0, "the tiles cannot be read"}
	}
	return errFound
}

// compareTile keeps the earliest entries whose hash in a tile does not fit, and of several the fewest.
func (v *verification) compareTile(key tileKey, want, stored []tlog.Hash) {
	for i, h := range want {
		if i < len(stored) && stored[i] == h {
			continue
		}
		span := int64(1) << (tileHeight * key.level)
		from := (key.n*tileWidth+int64(i))*span + 1
		s := &suspicion{from, from + span - 1, fmt.Sprintf("tile %d/%d does not fit entries %d to %d",
			key.level, key.n, from, from+span-1)}
		if v.tile == nil || s.from < v.tile.from || s.from == v.tile.from && s.to < v.tile.to {
			v.tile = s
		}
		return
	}
}

// conclude fills the report. A tile that does not fit tells more than a checkpoint that does not, and is earlier than
// what ended the reading, unless a checkpoint vouches for its entries: then only the tile is wrong.
func (v *verification) conclude() error {
	if err := v.finishHeads(); err != nil {
		return err
	}
	v.witnesses()
	f, t := v.found, v.tile
	if t != nil && (f == nil || t.to > v.good && t.from >= f.from && t.to <= f.to || t.to > v.good && t.to < f.from) {
		f = t
	}
	v.r.Size, v.r.Entries, v.r.Root = v.edge.size, v.edge.size, v.edge.root().String()
	v.r.Uncovered = max(0, v.edge.size-v.good)
	if f == nil {
		v.r.OK = true
		return nil
	}
	v.r.From, v.r.To, v.r.Problem = f.from, f.to, f.problem
	if f.from == f.to {
		v.r.FirstBad = f.from
	}
	if f.from > 0 {
		v.r.Entries = min(v.r.Entries, f.from-1)
	}
	return nil
}
