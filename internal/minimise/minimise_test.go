package minimise

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFilter(t *testing.T) {
	record := map[string]any{
		"email": "a@example.com", "name": "Ida", "address": map[string]any{"city": "Oslo", "street": "Storgata 1"},
		"orders": []any{map[string]any{"id": 1, "note": "call me"}, "loose"},
	}
	for _, c := range []struct {
		name     string
		allowed  []string
		passed   map[string]any
		stripped []string
	}{
		{"nothing allowed", nil, map[string]any{}, []string{"address", "email", "name", "orders"}},
		{"a whole object", []string{"address"}, map[string]any{"address": record["address"]}, []string{"email", "name", "orders"}},
		{"a part of it", []string{"email", "address.city"}, map[string]any{"email": "a@example.com", "address": map[string]any{"city": "Oslo"}},
			[]string{"address.street", "name", "orders"}},
		{"within a list", []string{"orders.id"}, map[string]any{"orders": []any{map[string]any{"id": 1}}},
			[]string{"address", "email", "name", "orders", "orders.note"}},
		{"a prefix that is no path", []string{"add"}, map[string]any{}, []string{"address", "email", "name", "orders"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			passed, stripped := Filter(record, c.allowed)
			if diff := cmp.Diff(c.passed, passed); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(c.stripped, stripped); diff != "" {
				t.Error(diff)
			}
		})
	}
}
