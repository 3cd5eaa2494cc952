package plan

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// sweepRate is bytes a millisecond that a sweep reads, end to end, on a small machine; it only
// decides whether a sweep runs at once or is queued.
const sweepRate = 60_000

// sweep reads every text of every system for the person's identities: the only look that finds
// copies to which no key leads. Kept rows may hold them, as often as was counted before the run.
func (l *looker) sweep(ctx context.Context) error {
	if l.p.Limit != nil {
		l.cover("every planned cell and every key; no other text, for the person stays known here")
		return nil
	}
	if len(l.ids)+len(l.former.from)+len(l.lists) == 0 {
		return nil
	}
	if !l.long && l.sweepMS() > l.e.cfg.SweepMS {
		l.left = append(l.left, Remaining{System: "all", Rows: -1, Code: "sweep-queued", Why: "reading all text takes longer than a request should wait", Who: "Ombud",
			Next: "ombud dsr retry, or the running server within the hour"})
		return nil
	}
	q, seen := newQuarry(l.ids, l.former), formerSeen{}
	for _, d := range slices.Concat(l.g.Datasets, storedCopies(l.g)) {
		if d.Ignored {
			continue
		}
		if err := l.sweepDataset(ctx, d, q, seen); err != nil {
			return err
		}
	}
	l.nameFormers(seen)
	l.cover(fmt.Sprintf("all text, JSON and decodable binary columns of every dataset that is not ignored, for %d identities%s; encrypted cells cannot be read", len(l.ids), l.former.count()))
	return nil
}

func (l *looker) cover(what string) {
	for _, p := range l.proof {
		p.Coverage = what
	}
}

// storedCopies hold text and are no datasets of a walk: materialised views, which may show what is
// not behind them any more, and full-text tables, which may keep what nobody took out of them.
func storedCopies(g *catalog.Graph) []*catalog.Dataset {
	var out []*catalog.Dataset
	for _, s := range g.Systems {
		if s.Schema == nil || s.Err != nil {
			continue
		}
		for _, t := range s.Schema.Tables {
			if t.Kind == connector.MatView || t.Kind == connector.Virtual {
				out = append(out, &catalog.Dataset{System: s.Config.ID, Name: t.Dataset(), Table: t, Store: s.Store,
					Ignored: slices.Contains(s.Config.Ignore, t.Dataset())})
			}
		}
	}
	return out
}

// mayHold is how many cells of a column an identity may stand in, because rows are kept. A view that was
// just computed anew may show them in other words; one for each kept cell of its system is let pass.
func (l *looker) mayHold(d *catalog.Dataset, column string) int64 {
	if d.Table.Kind != connector.MatView {
		return l.kept[d.ID()+"."+column]
	}
	n := int64(0)
	for place, kept := range l.kept {
		if strings.HasPrefix(place, d.System+".") {
			n += kept
		}
	}
	return n
}

// copies reports whether a stored copy's cell says what a kept cell says. A full-text table shows each
// row once, so what stands there once more than it is kept is a copy of something else.
func (l *looker) copies(d *catalog.Dataset, column string, v connector.Value, shown map[string]int64) bool {
	if d.Table.Kind != connector.MatView && d.Table.Kind != connector.Virtual {
		return false
	}
	hash := cellHash(v)
	shown[column+"."+hash]++
	may := l.texts[d.System+"."+hash]
	return may > 0 && (d.Table.Kind == connector.MatView || shown[column+"."+hash] <= may)
}

// stands notes what a kept cell says, where the journal that would tell is gone: stored copies come after all else.
func (l *looker) stands(d *catalog.Dataset, column string, v connector.Value) {
	if l.later && l.kept[d.ID()+"."+column] > 0 {
		l.texts[d.System+"."+cellHash(v)]++
	}
}

func (l *looker) sweepMS() int64 {
	n := int64(0)
	for _, d := range l.g.Datasets {
		if !d.Ignored && len(sweepColumns(d.Table)) > 0 {
			n += max(0, d.Table.Bytes)
		}
	}
	return n / sweepRate
}

// sweepColumns can hold an identity: everything that is text in some form and not too short for one.
func sweepColumns(t *connector.Table) []string {
	var out []string
	for _, c := range t.Columns {
		switch c.Kind {
		case connector.Text, connector.UUID, connector.JSON, connector.Array, connector.Bytes, connector.Other:
			if len(c.Enum) == 0 && (c.Length == 0 || c.Length >= minSweep) {
				out = append(out, c.Name)
			}
		}
	}
	return out
}

// sweepColumns are those of a dataset, and where the person must be in no list.
func (l *looker) sweepColumns(d *catalog.Dataset) []string {
	out := sweepColumns(d.Table)
	for _, c := range d.Table.Columns {
		if l.lists[d.ID()+"."+c.Name] != nil && !slices.Contains(out, c.Name) {
			out = append(out, c.Name)
		}
	}
	return out
}

func (l *looker) sweepDataset(ctx context.Context, d *catalog.Dataset, q *quarry, seen formerSeen) error {
	cols := l.sweepColumns(d)
	if len(cols) == 0 || !d.Table.Rights.Select {
		return nil
	}
	hits := make([]int64, len(cols))
	shown := map[string]int64{}
	sel := connector.Select{Table: d.Table, Columns: cols}
	ok, err := l.look(ctx, d, sel, func(row []connector.Value) {
		for i, v := range row {
			l.proof[d.System].Swept += int64(len(v.S))
			s := q.in(v)
			if s.identity && !l.copies(d, cols[i], v, shown) {
				hits[i]++
				l.stands(d, cols[i], v)
			}
			for _, value := range s.former {
				seen.add(value, d, cols[i])
			}
			if list := l.lists[d.ID()+"."+cols[i]]; list != nil && listsOne(v, list.keys) {
				list.found++
			}
		}
	})
	if err != nil || !ok {
		return err
	}
	l.nameLists(d)
	for i, n := range hits {
		if may := l.mayHold(d, cols[i]); n > may {
			l.uncovered(d, n-may, cols[i])
		}
	}
	return nil
}

// maxInflate bounds what a compressed cell may grow to.
const maxInflate = 16 << 20

func gunzip(s string) (string, bool) {
	if !strings.HasPrefix(s, "\x1f\x8b") {
		return "", false
	}
	z, err := gzip.NewReader(strings.NewReader(s))
	if err != nil {
		return "", false
	}
	var b bytes.Buffer
	_, err = io.Copy(&b, io.LimitReader(z, maxInflate))
	return b.String(), err == nil || errors.Is(err, io.ErrUnexpectedEOF)
}

func unbase64(s string) (string, bool) {
	t := strings.TrimSpace(s)
	if len(t) < 8 || strings.ContainsAny(t, " @\t") {
		return "", false
	}
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if b, err := enc.DecodeString(t); err == nil {
			return string(b), true
		}
	}
	return "", false
}

func unhex(s string) (string, bool) {
	t := strings.TrimPrefix(strings.TrimPrefix(s, "0x"), `\x`)
	if len(t) < 2*minSweep || len(t)%2 != 0 {
		return "", false
	}
	b, err := hex.DecodeString(t)
	return string(b), err == nil
}
