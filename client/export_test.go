package client

// Heard counts the changes that were heard.
func (c *Client) Heard() uint64 { return c.heard.now() }

// Fresh tells whether what is in memory may be used.
func (c *Client) Fresh() bool { return c.beat.Load().fresh(c.clock.Now()) }
