package client

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// BenchmarkAllowed is a question that is answered from memory, against the map that a program might keep by itself, both
// with people known and asked in turn.
func BenchmarkAllowed(b *testing.B) {
	const people = 50_000
	c, _ := remembering(100_000)
	c.clock = machine{}
	emails := make([]string, people)
	bare := map[[3]string]bool{}
	for i := range emails {
		emails[i] = fmt.Sprintf("person-%d@example.com", i)
		bare[[3]string{emails[i], "letters", "contact"}] = true
		q := &Question{Subject: Subject{"email": emails[i]}, Purpose: "letters", Category: "contact"}
		c.keep(q, Decision{Allowed: true, Reason: "consent", Revision: 7, Subject: fmt.Sprint("sub_", i)}, 0, time.Now().Add(time.Hour))
	}
	c.beat.Store(&beat{heard: time.Now().Add(time.Hour)})
	ctx := context.Background()
	kept := emails[:0]
	for _, e := range emails {
		if _, ok := c.remembered(&Question{Subject: Subject{"email": e}, Purpose: "letters", Category: "contact"}); ok {
			kept = append(kept, e)
		}
	}
	for name, at := range map[string]func(i int) int{"one": func(int) int { return 7 }, "many": func(i int) int { return i * 7919 % len(kept) }} {
		b.Run("client/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if d, err := c.Allowed(ctx, Subject{"email": kept[at(i)]}, "letters", "contact", Options{}); err != nil || !d.Allowed {
					b.Fatal(d, err)
				}
			}
		})
		b.Run("map/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if !bare[[3]string{kept[at(i)], "letters", "contact"}] {
					b.Fatal("no")
				}
			}
		})
	}
}
