package client

// Heard is the newest revision that was heard of. A stream that begins anew may tell of a change twice, but all before it
// too.
func (c *Client) Heard() int64 {
	newest := c.heard.everybody.revision.Load()
	for i := range c.heard.slots {
		newest = max(newest, c.heard.slots[i].revision.Load())
	}
	return newest
}

// Rules is the place of the newest change of everybody's answers that was heard.
func (c *Client) Rules() uint64 { return c.heard.everybody.place.Load() }

// Fresh tells whether what is in memory may be used.
func (c *Client) Fresh() bool { return c.beat.Load().fresh(c.clock.Now()) }
