package bench

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/plan"
)

// encoder writes every row as JSON and as CSV, as a package does, and keeps only the last bytes.
type encoder struct {
	rows      int
	json, csv []byte
	keep      bool
	cells     map[string]int // dataset, column and value, when kept
	bytes     int64
}

func (e *encoder) Row(item plan.Item, row []connector.Value) error {
	e.rows++
	e.json, e.csv = append(e.json[:0], '{'), e.csv[:0]
	for i, v := range row {
		if i > 0 {
			e.json, e.csv = append(e.json, ','), append(e.csv, ',')
		}
		e.json = append(strconv.AppendQuote(e.json, item.Columns[i].Name), ':')
		e.json = appendJSON(e.json, v)
		e.csv = appendCSV(e.csv, v)
		if e.keep {
			e.cells[item.Dataset+"."+item.Columns[i].Name+"="+v.S]++
		}
	}
	e.json, e.csv = append(e.json, '}', '\n'), append(e.csv, '\r', '\n')
	e.bytes += int64(len(e.json) + len(e.csv))
	return nil
}

func appendJSON(b []byte, v connector.Value) []byte {
	switch v.Kind {
	case connector.Null:
		return append(b, "null"...)
	case connector.Int, connector.Decimal, connector.Bool:
		return append(b, v.S...)
	}
	return strconv.AppendQuote(b, v.S)
}

func appendCSV(b []byte, v connector.Value) []byte {
	if v.IsNull() {
		return b
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(v.S, `"`, `""`)...)
	return append(b, '"')
}

// cellsOf reads an expert's document into the same shape.
func cellsOf(document []byte) (map[string]int, error) {
	d := json.NewDecoder(strings.NewReader(string(document)))
	d.UseNumber()
	var all map[string][]map[string]any
	if err := d.Decode(&all); err != nil {
		return nil, err
	}
	cells := map[string]int{}
	for table, rows := range all {
		for _, row := range rows {
			for column, v := range row {
				cells[table+"."+column+"="+textOf(column, v)]++
			}
		}
	}
	return cells, nil
}

// textOf writes a cell as a connector does.
func textOf(column string, v any) string {
	switch c := v.(type) {
	case nil:
		return ""
	case bool:
		return strconv.FormatBool(c)
	case json.Number:
		return c.String()
	case string:
		if strings.HasSuffix(column, "_at") {
			return strings.Replace(c, "T", " ", 1)
		}
		return c
	}
	return "?"
}
