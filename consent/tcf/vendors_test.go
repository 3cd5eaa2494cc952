package tcf_test

import (
	"slices"
	"testing"

	"github.com/ombudhq/ombud/consent/tcf"
	"pgregory.net/rapid"
)

// TestVendors: a set of ranges answers as a set of single ids does.
func TestVendors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOfN(rapid.Uint16Range(0, 40), 0, 30).Draw(t, "ids")
		in := map[uint16]bool{}
		for _, id := range ids {
			in[id] = id > 0
		}
		set := tcf.NewVendors(ids...)
		var want []uint16
		for id := range uint16(45) {
			if set.Has(id) != in[id] {
				t.Fatalf("has %d: %v", id, set.Has(id))
			}
			if in[id] {
				want = append(want, id)
			}
		}
		if got := slices.Collect(set.All()); !slices.Equal(got, want) || set.Len() != len(want) {
			t.Fatalf("%v, %d, want %v", got, set.Len(), want)
		}
		if len(want) > 0 && set.Max() != want[len(want)-1] || len(want) == 0 && set.Max() != 0 {
			t.Fatalf("max %d of %v", set.Max(), want)
		}
		if !set.Equal(tcf.VendorsIn(set.Ranges()...)) {
			t.Fatalf("the ranges %v make another set", set.Ranges())
		}
	})
	all := tcf.VendorsIn(tcf.Range{First: 0, Last: 65535}, tcf.Range{First: 9, Last: 3})
	if all.Len() != 65535 || all.Has(0) || !all.Has(65535) || len(all.Ranges()) != 1 {
		t.Errorf("all vendors: %v", all.Ranges())
	}
}
