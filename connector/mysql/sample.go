package mysql

import (
	"context"
	"fmt"
	"math/big"
	"slices"

	"github.com/ombudhq/ombud/connector"
)

// places is from how many parts of a table a sample is taken.
const places = 10

func (s *store) sample(ctx context.Context, t *connector.Table, list []string, limit int) ([][]connector.Value, error) {
	found, err := columns(t, list)
	if err != nil {
		return nil, err
	}
	starts, err := s.starts(ctx, t, limit)
	if err != nil {
		return nil, err
	}
	var out [][]connector.Value
	for i, from := range starts {
		part := (limit - len(out)) / (len(starts) - i)
		end := ""
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		statement := "SELECT " + cells(found) + " FROM " + full(t) + between(t, from, end) + fmt.Sprintf(" LIMIT %d", part)
		err := s.stream(ctx, s.db, statement, found, func(row []connector.Value) error {
			out = append(out, slices.Clone(row))
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// starts gives the keys to start at; one empty start when the table is read from its beginning.
func (s *store) starts(ctx context.Context, t *connector.Table, limit int) ([]string, error) {
	plain := []string{""}
	if len(t.Primary) != 1 || t.Column(t.Primary[0]).Kind != connector.Int || t.Rows <= int64(2*limit) || limit < places {
		return plain, nil
	}
	c := t.Column(t.Primary[0])
	var low, high big.Int
	bounds := []*connector.Column{c, c}
	err := s.stream(ctx, s.db, fmt.Sprintf("SELECT MIN(%[1]s), MAX(%[1]s) FROM %[2]s", name(c.Name), full(t)), bounds,
		func(row []connector.Value) error {
			low.SetString(row[0].S, 10)
			high.SetString(row[1].S, 10)
			return nil
		})
	if err != nil || low.Cmp(&high) >= 0 {
		return plain, err
	}
	width := new(big.Int).Sub(&high, &low)
	list := make([]string, places)
	for i := range list {
		step := new(big.Int).Mul(width, big.NewInt(int64(i)))
		list[i] = step.Div(step, big.NewInt(places)).Add(step, &low).String()
	}
	return slices.Compact(list), nil
}

func between(t *connector.Table, from, end string) string {
	if from == "" {
		return ""
	}
	key := name(t.Primary[0])
	where := " WHERE " + key + " >= " + from
	if end != "" {
		where += " AND " + key + " < " + end
	}
	return where + " ORDER BY " + key
}
