package catalog

import (
	"context"
	"fmt"
	"sync"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/fault"
)

// Catalog holds the open systems of one configuration and the graph read from them. It connects
// when first asked and again after a failure, so a store that was down at start is no restart.
// It is safe for concurrent use.
type Catalog struct {
	cfg     *Config
	openers map[string]connector.Opener
	clock   clock.Clock

	mu      sync.Mutex
	systems []*Connection
	graph   *Graph
}

// Connection is one system's live state. Schema is the last one read; Err says why the system cannot
// be asked now, and then nothing of it is known to be true.
type Connection struct {
	Config *System
	Store  connector.Store
	Schema *connector.Schema
	Print  string
	Err    error
}

// Open prepares a catalog; it does not connect. openers maps the connector names of ombud.yaml.
func Open(_ context.Context, cfg *Config, openers map[string]connector.Opener, c clock.Clock) *Catalog {
	cat := &Catalog{cfg: cfg, openers: openers, clock: c}
	for i := range cfg.Systems {
		cat.systems = append(cat.systems, &Connection{Config: &cfg.Systems[i]})
	}
	return cat
}

// Config is the configuration this catalog was opened with.
func (c *Catalog) Config() *Config { return c.cfg }

// Clock is the catalog's clock.
func (c *Catalog) Clock() clock.Clock { return c.clock }

// Store gives a connected system's store. fault.Unavailable when it cannot be reached.
func (c *Catalog) Store(system string) (connector.Store, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.systems {
		if s.Config.ID != system {
			continue
		}
		if s.Store == nil {
			return nil, fault.New(fault.Unavailable, "%s could not be reached", system)
		}
		return s.Store, nil
	}
	return nil, fault.New(fault.NotFound, "no system is called %s", system)
}

// Refresh asks every system whether its catalog changed, reads those that did, and gives the graph.
// A system that cannot be reached is named in Graph.Systems, it is no error. When nothing changed
// the same graph is given back.
func (c *Catalog) Refresh(ctx context.Context) (*Graph, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	changed := make([]bool, len(c.systems))
	var wg sync.WaitGroup
	for i, s := range c.systems {
		if i == len(c.systems)-1 { // the last needs no goroutine
			changed[i] = c.refreshSystem(ctx, s)
			break
		}
		wg.Go(func() { changed[i] = c.refreshSystem(ctx, s) })
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "reading the catalogs was interrupted")
	}
	if c.graph != nil && !anyTrue(changed) {
		return c.graph, nil
	}
	g, err := buildGraph(ctx, c.cfg, c.systems)
	if err != nil {
		return nil, err
	}
	c.graph = g
	return g, nil
}

// refreshSystem connects if needed and re-reads the schema if its fingerprint moved; true when
// anything the graph depends on is different now.
func (c *Catalog) refreshSystem(ctx context.Context, s *Connection) bool {
	was := s.Err
	if s.Store == nil {
		if s.Store, s.Err = c.connect(ctx, s.Config); s.Err != nil {
			s.Store = nil
			return was == nil || s.Schema != nil || was.Error() != s.Err.Error()
		}
	}
	print, err := s.Store.Fingerprint(ctx)
	if err != nil {
		s.Err = fault.Wrap(fault.Unavailable, err, "%s does not answer", s.Config.ID)
		return was == nil || was.Error() != s.Err.Error()
	}
	if print == s.Print && s.Schema != nil && was == nil {
		s.Err = nil
		return false
	}
	schema, err := s.Store.Schema(ctx)
	if err != nil {
		s.Err = fault.Wrap(fault.Unavailable, err, "the catalog of %s could not be read", s.Config.ID)
		return true
	}
	s.Schema, s.Print, s.Err = schema, print, nil
	return true
}

func (c *Catalog) connect(ctx context.Context, s *System) (connector.Store, error) {
	open, ok := c.openers[s.Connector]
	if !ok {
		return nil, fault.New(fault.Invalid, "%s: no connector is called %q", s.ID, s.Connector)
	}
	dsn, err := s.ExpandDSN()
	if err != nil {
		return nil, err
	}
	return open(ctx, connector.Config{System: s.ID, DSN: dsn, Folder: c.cfg.Folder, Rate: s.Rate})
}

// Close closes every store.
func (c *Catalog) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var first error
	for _, s := range c.systems {
		if s.Store == nil {
			continue
		}
		if err := s.Store.Close(); err != nil && first == nil {
			first = fmt.Errorf("closing %s: %w", s.Config.ID, err)
		}
		s.Store, s.Schema = nil, nil
	}
	c.graph = nil
	return first
}

func anyTrue(bs []bool) bool {
	for _, b := range bs {
		if b {
			return true
		}
	}
	return false
}
