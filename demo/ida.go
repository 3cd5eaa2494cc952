package demo

// Ida Nordmann, and who could be taken for her.
const (
	IdaID       = 4417
	idaOldID    = 3121 // an account she closed: soft-deleted, written in capitals
	lookAlikeID = 4418 // Ida Nordman, with one n: somebody else
	friendID    = 2210

	// IdaEmail is how she writes herself when she asks.
	IdaEmail = "ida.nordmann@example.com"
)

// ida writes her account and what hangs on it, with the traps of real stores.
func (c *company) ida() {
	p := person{IdaID, "Ida.Nordmann@example.com", "Ida", "Nordmann", "+47 412 00 776", "Bergen", "NO"}
	c.shop.add("customers", p.id, p.email, p.first, p.last, p.phone, "1988-04-17", p.country, c.moment(1900), nil, nil)
	c.shop.add("addresses", p.id, p.id, "Fjordveien 7", "5003", "Bergen", "NO")
	c.shop.add("addresses", 90001, p.id, "c/o Nordmann, Skogveien 12", "5010", "Bergen", "NO")
	c.order(p, 0, 2100) // its invoice is past the five years that the law asks for
	for n := 1; n < 6; n++ {
		c.order(p, n, 300*n)
	}
	c.shop.add("sessions", "5e551011da000001", p.id, "10.1.2.3", "Mozilla/5.0", c.moment(0))
	c.shop.add("sessions", "5e551011da000002", p.id, "10.1.2.4", "FjordlyApp/3", c.moment(1))
	c.review(p.id, 1, p.id, "Ida N.", "Dry in Jotunheimen, and room for two.")
	c.shop.add("wishes", p.id, 7)
	for range 9 {
		c.shop.add("page_views", nil, p.id, "/tents", c.moment(3))
	}
	c.newsletter.add("addresses", "ida.nordmann@example.com", c.day(700))
	c.newsletter.add("addresses", " IDA.NORDMANN@example.com", c.day(1500)) // imported twice, with a blank
	c.ticket(p.id, "ida.nordmann@example.com", "The zip of my tent is broken. Call me at +47 412 00 776. Ida", "Hello Ida, please send it back. We write to ida.nordmann@example.com.")
}

// oldIda is the account she closed years ago. The application hides it; the row is there.
func (c *company) oldIda() {
	c.shop.add("customers", idaOldID, "IDA.NORDMANN@EXAMPLE.COM", "Ida", "Nordmann", nil, "1988-04-17", "NO", c.moment(2900), c.moment(2000), nil)
	c.shop.add("page_views", nil, idaOldID, "/stoves", c.moment(2000))
}

// around writes what others did with her: rows that name her and are theirs, or that are both's.
func (c *company) around() {
	c.shop.add("swaps", 1, IdaID, friendID, "My old stove for your ice axe?", c.moment(200))
	c.shop.add("swaps", 2, friendID, IdaID, "Fine, and thank you, Ida!", c.moment(199))
	c.shop.add("swaps", 3, friendID, lookAlikeID, "Still looking for poles?", c.moment(100))
	c.shop.add("review_answers", 1, IdaID, friendID, "Did the seams hold in the wind?", c.moment(90))
	for i, id := range []int{5001, 5002} {
		c.shop.add("customers_referred", i+1, id, IdaID, c.day(400))
	}
	c.ticket(90002, address("Per", "Lund", 1), "My friend ida.nordmann@example.com got a discount, I did not.", "We have added it.")
	c.ticket(90003, "ida.nordman@example.com", "Where is my parcel? Ida Nordman", "On its way, Ida Nordman.")
}
