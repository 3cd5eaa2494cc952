package client

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/ombudhq/ombud/internal/minimise"
)

// fields is what each purpose may see.
type fields struct {
	asked uint64 // place of the newest change when they were asked for
	of    map[string][]string
}

// Minimise copies a record without the fields that the purpose has not declared, and names those it left out, as
// "address.city". Of an unknown purpose nothing passes; nor when the purposes cannot be known: then there is an error. What
// was left out is reported as an access event.
func (c *Client) Minimise(ctx context.Context, purpose string, record map[string]any) (passed map[string]any, stripped []string, err error) {
	allowed, err := c.fieldsOf(ctx, purpose)
	passed, stripped = minimise.Filter(record, allowed)
	if err == nil && len(stripped) > 0 {
		c.Accessed(Access{Purpose: purpose, Fields: slices.Sorted(maps.Keys(passed)), Stripped: stripped})
	}
	return passed, stripped, err
}

// fieldsOf goes by the register as it was within the last two seconds.
func (c *Client) fieldsOf(ctx context.Context, purpose string) ([]string, error) {
	if f := c.fields.Load(); f != nil && f.asked >= c.heard.everybody.place.Load() && c.beat.Load().fresh(c.clock.Now()) {
		return f.of[purpose], nil
	}
	asked := c.heard.now()
	var out struct {
		Purposes []struct {
			ID     string
			Fields []struct{ Name string }
		}
	}
	if err := c.read(ctx, http.MethodGet, "/v1/purposes", nil, &out); err != nil {
		return nil, err
	}
	of := map[string][]string{}
	for _, p := range out.Purposes {
		for _, field := range p.Fields {
			of[p.ID] = append(of[p.ID], field.Name)
		}
	}
	c.fields.Store(&fields{asked, of})
	return of[purpose], nil
}
