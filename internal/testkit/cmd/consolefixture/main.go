// Command consolefixture serves consoles with requests in every state, for the browser tests. It prints one line of JSON
// with the addresses and references, and ends when its standard input does.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/ombudhq/ombud/internal/testkit/consoletest"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// place is one console and what is in it.
type place struct {
	URL   string           `json:"url"`
	Pages []string         `json:"pages"` // of every route
	Refs  consoletest.Refs `json:"refs"`

	Visitors map[string]consoletest.Visitor `json:"visitors"` // by role, and by how far they have come
}

func run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "consolefixture-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	out := map[consoletest.Kind]place{}
	for _, kind := range []consoletest.Kind{consoletest.Full, consoletest.Guesses, consoletest.Empty, consoletest.Staff} {
		p, end, err := serve(ctx, filepath.Join(dir, string(kind)), kind)
		if err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		defer end()
		out[kind] = p
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func serve(ctx context.Context, dir string, kind consoletest.Kind) (p place, end func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return p, nil, err
	}
	w, err := consoletest.Open(ctx, dir, kind)
	if err != nil {
		return p, nil, err
	}
	switch kind {
	case consoletest.Full:
		if p.Refs, err = w.Populate(ctx); err == nil {
			p.Pages, err = w.Pages(ctx, p.Refs)
		}
	case consoletest.Staff:
		if p.Refs, err = w.Populate(ctx); err == nil {
			p.Visitors, err = w.Staff(ctx, p.Refs)
		}
	case consoletest.Guesses:
		p.Refs, err = w.Block(ctx)
	}
	if err != nil {
		return p, nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return p, nil, err
	}
	server := &http.Server{Handler: w}
	go func() { _ = server.Serve(l) }()
	p.URL = "http://" + l.Addr().String()
	return p, func() { _ = server.Close(); _ = w.Close() }, nil
}
