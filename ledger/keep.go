package ledger

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/note"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
)

// actsSchema holds the acts that may not be outside yet. What is known to be there is removed at the next start, but for
// the last group: the database thereby knows how far the suppression ledger reached at least.
const actsSchema = `create table ledger_acts (
	number bigint not null primary key,
	revision bigint not null,
	kind text not null,
	body bytea not null
)`

// actsByNumber lets the number be the address of the row: then an act changes one page, and not one of an index too.
const actsByNumber = `create table ledger_acts_copy as select * from ledger_acts;
drop table ledger_acts;
create table ledger_acts (
	number integer primary key,
	revision bigint not null,
	kind text not null,
	body bytea not null
);
insert into ledger_acts (number, revision, kind, body) select number, revision, kind, body from ledger_acts_copy;
drop table ledger_acts_copy`

var actsTable = db.NewTable("ledger_acts", db.Column{Name: "number", Type: "bigint"}, db.Column{Name: "revision", Type: "bigint"},
	db.Column{Name: "kind", Type: "text"}, db.Column{Name: "body", Type: "bytea"})

// Keep lets an act survive the loss of the database: it is written to the suppression ledger in each of Heads, on the disk,
// when its commit cannot be refused any more and before the answer. Call it in the transaction of the act, before its entry is
// appended. body is what is needed to do it again in an older store, as JSON, and names nobody. Without Heads nothing is kept.
func (l *Ledger) Keep(tx *db.Tx, kind string, body any) error {
	if len(l.heads) == 0 {
		return nil
	}
	b, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encoding an act: %w", err)
	}
	a := Act{Revision: l.Next(tx).Revision, Kind: kind, number: l.kept.last + int64(len(l.unkept)) + 1}
	if a.sealed = l.c.Vault.Seal(actLabel, a.aad(), b); len(a.sealed) > maxAct || !isName(kind) {
		return fmt.Errorf("an act of kind %.64q is too large to be kept", kind)
	}
	if err := a.insert(tx); err != nil {
		return fmt.Errorf("keeping an act: %w", err)
	}
	tx.OnRollback(l.forget)
	tx.WhileForced(l.force)
	tx.BeforeAnswer(l.send)
	l.unkept = append(l.unkept, a)
	return nil
}

func (a *Act) insert(tx *db.Tx) error {
	return tx.Insert(actsTable, db.OfInt(a.number), db.OfInt(a.Revision), db.OfText(a.Kind), db.OfBlob(a.sealed))
}

// ready are groups that were signed, and how far they went: a try that failed is made again by send.
type ready struct {
	end     actsEnd
	b       []byte
	err     error
	written bool
}

// force signs what waits, on the head that there will be if the commit under way succeeds, and writes it where the commit takes it
// along to the disk; elsewhere that is left to write, beside. See cut.go for what a power cut leaves then.
func (l *Ledger) force() (beside func()) {
	if l.ready != nil || len(l.unkept) == 0 {
		return nil
	}
	if l.ready = l.sealed(&l.pending); l.ready.err != nil || l.hand(l.ready) {
		return nil
	}
	return l.write
}

// hand gives what was signed to the store, to be carried to the disk; false where that is not all there is to do.
func (l *Ledger) hand(r *ready) bool {
	for _, h := range l.heads {
		if !h.handActs(r.b, l.kept.offset) {
			return false
		}
	}
	r.written = true
	return true
}

// write puts what was signed into every file.
func (l *Ledger) write() { l.ready.written = l.writeActs(l.ready.b) == nil }

// sealed signs what waits, in groups that stand on a head.
func (l *Ledger) sealed(e *edge) *ready {
	end, b, err := l.groups(l.kept, treeHead{size: e.size, root: e.root()}, l.unkept)
	return &ready{end: end, b: b, err: err}
}

// takeBack takes out of the files what was written with a commit that did not come to be, or of which that is not known: what it
// kept stands in the store then, and a start writes it again. Where a file cannot be written it stays, as after a power cut.
func (l *Ledger) takeBack() {
	if l.ready == nil {
		return
	}
	for _, h := range l.heads {
		h.takeBackActs(l.ready.b, l.kept.offset)
	}
}

// writeActs answers when groups are on the disk in every file.
func (l *Ledger) writeActs(b []byte) error {
	for _, h := range l.heads {
		if err := h.addActs(b, l.kept.offset); err != nil {
			return err
		}
	}
	return nil
}

// send sees that what waits is in every file, and in the buckets. The first call of a commit sends all.
func (l *Ledger) send() error {
	if len(l.unkept) == 0 {
		return nil
	}
	r := l.ready
	if e := l.snapshot(); r == nil || r.err != nil || r.end.head.size != e.size || r.end.last != l.unkept[len(l.unkept)-1].number {
		r = l.sealed(&e)
	}
	if r.err != nil {
		return r.err
	}
	var err error
	if !r.written {
		err = l.writeActs(r.b)
	}
	if err == nil {
		err = l.pushActs(r.end.offset)
	}
	if err != nil {
		return fmt.Errorf("the suppression ledger cannot be written: %w", pathless(err))
	}
	l.mu.Lock()
	l.kept, l.unkept, l.ready = r.end, nil, nil
	l.mu.Unlock()
	return nil
}

// pathless is an error of the file system without the path: whoever asks for an act need not know our folders.
func pathless(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return fmt.Errorf("%s: %w", p.Op, p.Err)
	}
	return err
}

// pushActs brings the file of acts into the buckets.
func (l *Ledger) pushActs(upto int64) error {
	for _, h := range l.heads {
		if h.far == nil {
			continue
		}
		if err := h.far.push(context.Background(), h.dir, l.epoch, upto); err != nil {
			return err
		}
	}
	return nil
}

// groups signs acts as groups that follow an end, and gives the new end and what is to be written.
func (l *Ledger) groups(end actsEnd, head treeHead, acts []Act) (actsEnd, []byte, error) {
	var out []byte
	for len(acts) > 0 {
		n, size := 0, 0
		for n < len(acts) && (n == 0 || size+len(acts[n].line()) <= maxGroup) {
			size += len(acts[n].line())
			n++
		}
		g := &actGroup{head: head, first: end.last + 1, prev: end.hash, acts: acts[:n]}
		msg, err := note.Sign(&note.Note{Text: g.text(l.c.Origin)}, signer{l.verifier, l.c.Vault})
		if err != nil {
			return end, nil, fmt.Errorf("signing acts: %w", err)
		}
		if !end.grow(g, msg) {
			return end, nil, errors.New("acts are out of order")
		}
		out = append(append(out, msg...), '\n')
		acts = acts[n:]
	}
	return end, out, nil
}

// openActs reads the suppression ledger of every head: the longest is the truth, and the others are its beginning or it
// is damaged.
func (l *Ledger) openActs() error {
	l.kept = actsEnd{hash: actsStart}
	var bad error
	for _, h := range l.heads {
		end, err := readActs(filepath.Join(h.dir, actsFile), l.verifier, nil)
		h.acts = end
		if end.last > l.kept.last {
			l.kept = end
		}
		if bad == nil {
			bad = err
		}
	}
	if bad != nil {
		return bad
	}
	for _, h := range l.heads {
		if h.newest.acts > l.kept.last {
			return errActs("it ends with act %d, a checkpoint knows of %d", l.kept.last, h.newest.acts)
		}
	}
	return nil
}

// completeActs gives every folder the whole file, and cuts off what a crash left behind it.
func (l *Ledger) completeActs() error {
	var whole []byte
	for _, h := range l.heads {
		if l.kept.last > 0 && h.acts.last == l.kept.last {
			b, err := os.ReadFile(filepath.Join(h.dir, actsFile))
			if err != nil || int64(len(b)) < l.kept.offset {
				return fault.Wrap(fault.Unavailable, err, "the suppression ledger cannot be read")
			}
			whole = b[:l.kept.offset]
			break
		}
	}
	for _, h := range l.heads {
		if err := h.completeActs(whole); err != nil {
			return err
		}
		h.acts = l.kept
	}
	return nil
}

func (h *head) completeActs(whole []byte) error {
	path := filepath.Join(h.dir, actsFile)
	have, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fault.Wrap(fault.Unavailable, err, "the suppression ledger cannot be read")
	}
	if string(have[:h.acts.offset]) != string(whole[:h.acts.offset]) {
		return errActs("the heads hold different ones")
	}
	if h.acts.offset == int64(len(whole)) && isZero(have[h.acts.offset:]) {
		return nil
	}
	if int64(len(have)) > h.acts.offset {
		if err := os.Truncate(path, h.acts.offset); err != nil {
			return fault.Wrap(fault.Unavailable, err, "the suppression ledger cannot be written")
		}
	}
	if int64(len(whole)) == h.acts.offset {
		return nil // the next group makes it durable that what was torn is gone
	}
	if err := h.addActs(whole[h.acts.offset:], h.acts.offset); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the suppression ledger cannot be written")
	}
	return nil
}

// compareActs refuses a store that is not the one whose acts were kept, and takes up the acts that are not outside yet.
func (l *Ledger) compareActs(ctx context.Context, tx *db.Tx) error {
	if len(l.heads) == 0 {
		return nil
	}
	known, err := lastKnown(ctx, tx)
	if err != nil {
		return err
	}
	if cut, err := l.isCut(ctx, tx, known); err != nil || cut {
		return cmp.Or(err, error(errCut))
	}
	if err := l.sameLine(ctx, tx); err != nil {
		return err
	}
	rows, err := tx.Query(ctx, "select number, revision, kind, body from ledger_acts where number > $1 order by number", l.kept.last)
	if err != nil {
		return fmt.Errorf("reading the acts: %w", err)
	}
	defer rows.Close()
	for next := l.kept.last + 1; rows.Next(); next++ {
		var a Act
		if err := rows.Scan(&a.number, &a.Revision, &a.Kind, &a.sealed); err != nil {
			return fmt.Errorf("reading the acts: %w", err)
		}
		if a.number != next {
			return errActs("it ends with act %d, the store knows of %d", l.kept.last, known)
		}
		l.unkept = append(l.unkept, a)
	}
	return rows.Err()
}

// lastKnown is the number of the newest act that the store knows of.
func lastKnown(ctx context.Context, tx *db.Tx) (number int64, err error) {
	if err := tx.QueryRow(ctx, "select coalesce(max(number), 0) from ledger_acts").Scan(&number); err != nil {
		return 0, fmt.Errorf("reading the acts: %w", err)
	}
	return number, nil
}

// sameLine compares the store with the last group outside.
func (l *Ledger) sameLine(ctx context.Context, tx *db.Tx) error {
	k := &l.kept
	switch {
	case k.last == 0:
		return nil
	case k.epoch() > l.epoch:
		return errRestored("it is of epoch %d, the suppression ledger outside of %d", l.epoch, k.epoch())
	case k.head.size > l.edge.size:
		return errRestored("it holds %d entries, the suppression ledger outside stands at %d", l.edge.size, k.head.size)
	}
	root, err := (&tileSource{ctx: ctx, tx: tx}).rootAt(k.head.size)
	if err != nil {
		return err
	}
	if root != k.head.root {
		return errRestored("its first %d entries are not those of the suppression ledger outside", k.head.size)
	}
	return nil
}

func errRestored(why string, args ...any) error {
	return fault.New(fault.Integrity, "this is not the store that was used last: %s", fmt.Sprintf(why, args...)).
		Then("ombud audit verify tells whether it was changed; ombud backup restore brings a backup back with all that was withdrawn or erased since.")
}

// settleActs brings the files outside and the store together before anything is answered.
func (l *Ledger) settleActs(ctx context.Context) error {
	if err := l.completeActs(); err != nil {
		return err
	}
	if l.kept.last > 0 {
		if err := l.pushActs(l.kept.offset); err != nil {
			return err
		}
	}
	if err := l.send(); err != nil {
		return fault.Wrap(fault.Unavailable, err, "acts that were committed cannot be kept outside the own store: %v", err)
	}
	return l.c.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "delete from ledger_acts where number < $1", l.kept.first)
		return err
	})
}
