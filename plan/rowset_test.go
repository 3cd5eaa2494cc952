package plan

import (
	"strconv"
	"testing"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// TestRowsOfTheFileShareARecord: whoever goes over rows that left memory makes no record and no cells for each: on a busy machine, where
// the collector comes late, they would all be in memory.
func TestRowsOfTheFileShareARecord(t *testing.T) {
	const rows = 2000
	for _, indexed := range []bool{true, false} {
		st := newStorage(8, t.TempDir())
		defer st.close()
		d := &catalog.Dataset{Table: &connector.Table{Locator: connector.Locator{Kind: connector.ByPrimary}}}
		s := newRowset(d, &shape{columns: []string{"id", "note"}, at: map[string]int{"id": 0, "note": 1}, locator: []int{0}, indexed: indexed}, st)
		for i := range rows {
			if _, _, err := s.add(&record{cells: []connector.Value{connector.TextValue(strconv.Itoa(i)), connector.TextValue("a note of Ida's")}}, 0); err != nil {
				t.Fatal(err)
			}
		}
		var kept []*record
		n := 0
		allocs := testing.AllocsPerRun(3, func() {
			kept, n = nil, 0
			s.every(func(r *record) {
				if n++; n%500 == 0 {
					kept = append(kept, r.lasting())
				}
			})
		})
		if n != rows || allocs > 1.1*rows {
			t.Errorf("indexed %v: %v allocations for %d rows", indexed, allocs, n)
		}
		for i, r := range kept {
			if want := strconv.Itoa(500*(i+1) - 1); r.cells[0].S != want {
				t.Errorf("indexed %v: a record that lasts became %s, it was %s", indexed, r.cells[0].S, want)
			}
		}
	}
}
