package plan

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// What is encrypted, or packed in a way that no decoder opens, cannot be searched, and says nothing to
// who gets it. Where such a cell of the person's stays, or goes into a package, the result is
// incomplete, unless ombud.yaml names the column as opaque.

// coded is the length from which a text without blanks is tried as coded bytes: shorter ones are names,
// numbers and tokens.
const coded = 40

// opaqueColumns may hold cells that cannot be read and that nobody answers for.
func opaqueColumns(d *catalog.Dataset) []string {
	var out []string
	for _, c := range d.Table.Columns {
		long := c.Length == 0 || c.Length >= coded
		bytes := c.Kind == connector.Bytes && !slices.Contains(d.Table.Primary, c.Name)
		text := c.Kind == connector.Text && len(c.Enum) == 0 && long
		named := d.Rule != nil && slices.Contains(d.Rule.Opaque, c.Name)
		if (bytes || text) && !c.Generated && !named && !refers(d, c.Name) {
			out = append(out, c.Name)
		}
	}
	return out
}

// unread counts the rows of a dataset with cells that cannot be read, and in which columns.
type unread struct {
	rows    int64
	columns map[string]bool
}

// file: a picture or document, which the person can open though nothing here reads it.
func file(v connector.Value) bool {
	for _, magic := range []string{"\x89PNG", "\xff\xd8\xff", "GIF8", "%PDF", "RIFF", "PK\x03\x04", "OggS", "ID3"} {
		if strings.HasPrefix(v.S, magic) {
			return true
		}
	}
	return false
}

func (u *unread) add(columns []string, cell func(i int) connector.Value, fields []string, pass func(connector.Value) bool) {
	hit := false
	for i, c := range columns {
		if v := cell(i); !slices.Contains(fields, c) && !pass(v) && unreadableCell(v) {
			hit, u.columns[c] = true, true
		}
	}
	if hit {
		u.rows++
	}
}

func (u *unread) gap(d *catalog.Dataset) Remaining {
	names := strings.Join(slices.Sorted(maps.Keys(u.columns)), ", ")
	return Remaining{System: d.System, Dataset: d.Name, Rows: u.rows, Code: "opaque", Why: "cells of " + names + " cannot be read: encrypted, or coded in a way nobody knows here",
		Next: fmt.Sprintf("name the column under tables: %s: opaque: in ombud.yaml if you answer for it, or let erasure replace it; then plan again", d.Name)}
}

// opaqueGaps reads the rows of the person that stay, for the columns that stay with them.
func (w *walk) opaqueGaps(ctx context.Context) error {
	if w.q.Limit != nil {
		return nil // what was not asked for stays, whatever it says
	}
	for _, d := range w.order() {
		if w.sets[d].n == 0 || d.Ignored || !d.Table.Rights.Select {
			continue
		}
		cols := opaqueColumns(d)
		if len(cols) == 0 {
			continue
		}
		found := &unread{columns: map[string]bool{}}
		if err := w.unreadIn(ctx, d, cols, found); err != nil {
			return err
		}
		if found.rows > 0 {
			w.gap(d, found.gap(d))
		}
	}
	return nil
}

func (w *walk) unreadIn(ctx context.Context, d *catalog.Dataset, cols []string, found *unread) error {
	s := w.sets[d]
	fields := map[string][]string{} // what goes, by address
	var keys []connector.Key
	read := func() error {
		err := w.readUnread(ctx, d, cols, keys, fields, found)
		clear(fields)
		keys = keys[:0]
		return err
	}
	err := s.each(func(r *record) error {
		w.finish(s, r)
		dec, _ := w.decide(s, r)
		if !r.reached || r.erased || w.dies(s, r) {
			return nil
		}
		k := s.key(r)
		keys, fields[k.Encode()] = append(keys, k), dec.fields
		if len(keys) < w.e.cfg.Chunk {
			return nil
		}
		return read()
	})
	if err != nil || len(keys) == 0 {
		return err
	}
	return read()
}

func (w *walk) readUnread(ctx context.Context, d *catalog.Dataset, cols []string, keys []connector.Key, fields map[string][]string, found *unread) error {
	at := d.Table.Locator.Columns
	sel := connector.Select{Table: d.Table, Columns: slices.Concat(at, cols), Where: []connector.Match{{Columns: at, Keys: keys}}}
	err := d.Store.Select(ctx, []connector.Select{sel}, func(_ int, row []connector.Value) error {
		cell := func(i int) connector.Value { return row[len(at)+i] }
		found.add(cols, cell, fields[connector.Key(row[:len(at)]).Encode()], func(connector.Value) bool { return false })
		return nil
	})
	if err != nil && ctx.Err() == nil {
		w.unreadable(d)
	}
	return ctx.Err()
}

// unreadableCell: bytes that are no text in any form, or a text that is nothing but such bytes, coded.
func unreadableCell(v connector.Value) bool {
	if v.Kind == connector.Bytes || !utf8.ValidString(v.S) {
		return len(v.S) > 0 && !digest(len(v.S)) && !readable(v.S, 2)
	}
	return looksCoded(v.S) && !readable(v.S, 2)
}

// digest: the length of a hash or an id, which tells nothing by itself.
func digest(n int) bool { return n == 16 || n == 20 || n == 28 || n == 32 || n == 64 }

// looksCoded: one long word of capitals, small letters and digits, or of hexadecimal digits, that
// decodes to more than a hash.
func looksCoded(s string) bool {
	if len(s) < coded {
		return false
	}
	plain, ok := unhex(s)
	if !ok {
		kinds := [3]func(rune) bool{unicode.IsUpper, unicode.IsLower, unicode.IsDigit}
		for _, is := range kinds {
			if strings.IndexFunc(s, is) < 0 {
				return false
			}
		}
		plain, ok = unbase64(s)
	}
	return ok && !digest(len(plain))
}

// readable: text as it stands or, once decoded, in what was packed. A text that is a code is read by
// what it decodes to alone.
func readable(s string, depth int) bool {
	if !looksCoded(s) && isText(s) {
		return true
	}
	if depth == 0 {
		return false
	}
	for _, decode := range []func(string) (string, bool){gunzip, unbase64, unhex} {
		if plain, ok := decode(s); ok && readable(plain, depth-1) {
			return true
		}
	}
	return false
}

// isText: hardly any control characters, and letters of one plain coding.
func isText(s string) bool {
	control, ascii := 0, 0
	for i := 0; i < len(s); i++ {
		switch b := s[i]; {
		case b < ' ' && !bytes.ContainsRune([]byte("\t\r\n"), rune(b)), b == 0x7f:
			control++
		case b < utf8.RuneSelf:
			ascii++
		}
	}
	if utf8.ValidString(s) {
		return control*20 <= len(s)
	}
	return control == 0 && ascii*5 >= len(s)*4
}
