package request

import (
	"context"
	"io"
	"slices"

	"github.com/ombudhq/ombud/connector"
)

// data writes a dataset's rows twice, as JSON and as CSV.
func (p *pack) data(ctx context.Context, d *dataset, name string) error {
	if err := p.entry(name+".json", func(w io.Writer) error { return p.jsonRows(ctx, d, w) }); err != nil {
		return err
	}
	if err := p.entry(name+".csv", func(w io.Writer) error { return p.csvRows(ctx, d, w) }); err != nil {
		return err
	}
	m := manifestData{System: d.System, Dataset: d.Name, Rows: d.Rows, JSON: name + ".json", CSV: name + ".csv"}
	for _, c := range d.columns() {
		m.Columns = append(m.Columns, column{c.Name, c.Type})
	}
	p.manifest.Datasets = append(p.manifest.Datasets, m)
	return nil
}

// columns of all the dataset's shapes, in the order they were first seen.
func (d *dataset) columns() []connector.Column {
	var out []connector.Column
	for _, s := range d.shapes {
		for _, c := range s.columns {
			if !slices.ContainsFunc(out, func(o connector.Column) bool { return o.Name == c.Name }) {
				out = append(out, c)
			}
		}
	}
	return out
}

// withheldKey names, in each JSON row, the columns that were held back; it is none of the row's own.
func (d *dataset) withheldKey() string {
	key := "_withheld"
	for slices.ContainsFunc(d.columns(), func(c connector.Column) bool { return c.Name == key }) {
		key = "_" + key
	}
	return key
}

func (p *pack) jsonRows(ctx context.Context, d *dataset, w io.Writer) error {
	key := d.withheldKey()
	var b []byte
	n := 0
	err := p.rows.each(d, func(s *shape, row []connector.Value) (bool, error) {
		b = append(b[:0], ",\n"...)
		if n++; n == 1 {
			b = append(b[:0], "[\n"...)
		}
		b = appendRow(b, s, row, key)
		_, err := w.Write(b)
		return true, halt(ctx, n, err)
	})
	if err != nil {
		return err
	}
	end := "\n]\n"
	if n == 0 {
		end = "[]\n"
	}
	_, err = io.WriteString(w, end)
	return err
}

// appendRow writes one object. A withheld column is not null, so it is named apart and left out.
func appendRow(b []byte, s *shape, row []connector.Value, withheldKey string) []byte {
	b = append(b, '{')
	first := true
	name := func(n string) {
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(appendText(b, n), ':')
	}
	for i, v := range row {
		if !slices.Contains(s.withheld, s.columns[i].Name) {
			name(s.columns[i].Name)
			b = appendJSON(b, v)
		}
	}
	if len(s.withheld) > 0 {
		name(withheldKey)
		b = append(b, '[')
		for i, n := range s.withheld {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendText(b, n)
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

// withheldMark stands in CSV cells, and on the page, for what was held back.
const withheldMark = "[held back for review]"

func (p *pack) csvRows(ctx context.Context, d *dataset, w io.Writer) error {
	columns := d.columns()
	var b []byte
	for i, c := range columns {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendCSV(b, connector.TextValue(c.Name))
	}
	if _, err := w.Write(append(b, "\r\n"...)); err != nil {
		return err
	}
	var last *shape
	var at []int
	n := 0
	return p.rows.each(d, func(s *shape, row []connector.Value) (bool, error) {
		if s != last {
			last, at = s, s.positions(columns)
		}
		b = b[:0]
		for i := range columns {
			if i > 0 {
				b = append(b, ',')
			}
			switch {
			case at[i] < 0:
			case slices.Contains(s.withheld, columns[i].Name):
				b = appendQuoted(b, withheldMark)
			default:
				b = appendCSV(b, row[at[i]])
			}
		}
		n++
		_, err := w.Write(append(b, "\r\n"...))
		return true, halt(ctx, n, err)
	})
}

// positions tells where each column stands in rows of this shape, -1 for nowhere.
func (s *shape) positions(columns []connector.Column) []int {
	at := make([]int, len(columns))
	for i, c := range columns {
		at[i] = slices.IndexFunc(s.columns, func(o connector.Column) bool { return o.Name == c.Name })
	}
	return at
}

// halt stops a long write when its context ends; it looks now and then only.
func halt(ctx context.Context, n int, err error) error {
	if err == nil && n%1024 == 0 {
		return ctx.Err()
	}
	return err
}
