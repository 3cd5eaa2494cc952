package connector_test

import (
	"fmt"
	"testing"

	"github.com/ombudhq/ombud/connector"
)

// A key goes from a list, however it is written there, and everything else stays as it was.
func TestListsWithoutAKey(t *testing.T) {
	const guid, other = "6f1c2a7e-4b1d-4f0e-9a53-0a7a2f3b9c11", "0b9d3f52-77aa-4c1e-8f55-1b2c3d4e5f60"
	keys := map[string]bool{"1": true, "a, \"b\\": true, guid: true, "x y": true}
	for _, tc := range []struct {
		kind       connector.Kind
		cell, want string
	}{
		{connector.JSON, `[1, 2, "1", 11, -1, 1.5, null, true]`, `[2, 11, -1, 1.5, null, true]`},
		{connector.Text, ` ["6F1C2A7E-4B1D-4F0E-9A53-0A7A2F3B9C11","` + other + `"]`, `["` + other + `"]`},
		{connector.JSON, `["a, \"b\\", "a"]`, `["a"]`},
		{connector.JSON, `[]`, `[]`},
		{connector.JSON, `null`, `null`},
		{connector.Array, `{2,1,NULL,11}`, `{2,NULL,11}`},
		{connector.Array, `{"a, \"b\\","x y",'1',"{1}",""}`, `{'1',"{1}",""}`},
		{connector.Array, `{}`, `{}`},
		{connector.Text, `{ 1 , 2 }`, `{ 2 }`},
	} {
		v := connector.Value{Kind: tc.kind, S: tc.cell}
		if got := connector.Without(v, keys); got.S != tc.want || got.Kind != tc.kind {
			t.Errorf("%s became %s, want %s", tc.cell, got.S, tc.want)
		}
	}
}

// What is no plain list is none, and stays.
func TestCellsThatAreNoLists(t *testing.T) {
	for _, v := range []connector.Value{
		{Kind: connector.JSON, S: `{"1": 1}`}, {Kind: connector.JSON, S: `[[1]]`}, {Kind: connector.JSON, S: `[{"id": 1}]`}, {Kind: connector.JSON, S: `1`},
		{Kind: connector.Text, S: `1,2`}, {Kind: connector.Text, S: ``}, {Kind: connector.Array, S: `{{1,2},{3,4}}`}, {Kind: connector.Array, S: `[0:1]={1,2}`}, {Kind: connector.Array, S: `{"1}`},
	} {
		if _, _, ok := connector.Elements(v); ok {
			t.Errorf("%s is taken for a list", v.S)
		}
		if got := connector.Without(v, map[string]bool{"1": true}); got != v {
			t.Errorf("%s became %s", v.S, got.S)
		}
	}
}

// The keys of a list are compared as they are, but for the case of a UUID.
func TestListKeys(t *testing.T) {
	for in, want := range map[string]string{"ABC": "ABC", "6F1C2A7E-4B1D-4F0E-9A53-0A7A2F3B9C11": "6f1c2a7e-4b1d-4f0e-9a53-0a7a2f3b9c11", "6F1C2A7E-4B1D-4F0E-9A53-0A7A2F3B9C1G": "6F1C2A7E-4B1D-4F0E-9A53-0A7A2F3B9C1G"} {
		if got := connector.ListKey(in); got != want {
			t.Error(fmt.Sprint(in, " is ", got))
		}
	}
}
