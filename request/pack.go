package request

import (
	"archive/zip"
	"bufio"
	"compress/flate"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"time"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/plan"
)

// pack writes one access package: a page to read, the data as JSON and CSV, and a signed list of
// hashes. It reads the spool dataset by dataset and holds one row at a time.
type pack struct {
	config   *catalog.Config
	key      signer
	now      time.Time
	rows     *spool
	ref      string
	received time.Time
	reviewed bool
	plan     *plan.Plan
	outcome  *plan.Outcome

	zip      *zip.Writer
	manifest manifest
}

// manifest lists every other file of a package but its signature.
type manifest struct {
	Format       string         `json:"format"`
	Ref          string         `json:"ref"`
	Organization string         `json:"organization"`
	Received     string         `json:"received"`
	Made         string         `json:"made"`
	Plan         string         `json:"plan"` // hash
	Reviewed     bool           `json:"reviewed"`
	Datasets     []manifestData `json:"datasets"`
	Files        []manifestFile `json:"files"`
}

type manifestData struct {
	System  string   `json:"system"`
	Dataset string   `json:"dataset"`
	Rows    int64    `json:"rows"`
	Columns []column `json:"columns"`
	JSON    string   `json:"json"`
	CSV     string   `json:"csv"`
}

type column struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

type manifestFile struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Names of a package's own files.
const (
	indexName    = "index.html"
	readmeName   = "README.txt"
	manifestName = "manifest.json"
	sigName      = "manifest.sig"
	pubName      = "ombud.pub"
)

// write fills the file and says what it became. The page comes last but one, when all is counted, and
// first in the folder by its name.
func (p *pack) write(ctx context.Context, f *packageFile) (*PackageRef, error) {
	buf := bufio.NewWriterSize(io.MultiWriter(f.tmp, f.hash), 64<<10)
	p.zip = zip.NewWriter(buf)
	p.zip.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	p.manifest = manifest{
		Format: packageFormat, Ref: p.ref, Organization: p.config.Organization.Name,
		Received: p.received.Format(time.RFC3339), Made: p.now.Format(time.RFC3339), Plan: p.plan.Hash, Reviewed: p.reviewed,
		Datasets: []manifestData{}, Files: []manifestFile{},
	}
	err := p.fill(ctx)
	if err = errors.Join(err, p.zip.Close(), buf.Flush()); err != nil {
		return nil, packError(err)
	}
	ref := &PackageRef{Files: len(p.manifest.Files), Reviewed: p.reviewed}
	for _, d := range p.manifest.Datasets {
		ref.Rows += d.Rows
	}
	ref.SHA256, ref.Size = hex.EncodeToString(f.hash.Sum(nil)), f.size()
	return ref, nil
}

func (p *pack) fill(ctx context.Context) error {
	taken := names{}
	for _, d := range p.rows.sets {
		if err := p.data(ctx, d, taken.file(d.System, d.Name)); err != nil {
			return err
		}
	}
	page, err := p.page()
	if err != nil {
		return err
	}
	if err := errors.Join(p.text(indexName, page), p.text(readmeName, []byte(readme))); err != nil {
		return err
	}
	b, err := json.MarshalIndent(p.manifest, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding a manifest: %w", err)
	}
	sig := base64.StdEncoding.EncodeToString(p.key.Sign(b)) + "\n"
	pub := base64.StdEncoding.EncodeToString(p.key.PublicKey()) + "\n"
	return errors.Join(p.text(manifestName, b), p.text(sigName, []byte(sig)), p.text(pubName, []byte(pub)))
}

func (p *pack) text(name string, b []byte) error {
	return p.entry(name, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}

// entry adds one file and notes its size and hash. Its time is the package's.
func (p *pack) entry(name string, fill func(io.Writer) error) error {
	w, err := p.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: p.now})
	if err != nil {
		return fmt.Errorf("adding a file to the package: %w", err)
	}
	h := &counting{w: w, h: sha256.New()}
	b := bufio.NewWriterSize(h, 32<<10)
	if err := errors.Join(fill(b), b.Flush()); err != nil {
		return err
	}
	p.manifest.Files = append(p.manifest.Files, manifestFile{name, h.n, hex.EncodeToString(h.h.Sum(nil))})
	return nil
}

type counting struct {
	w io.Writer
	h hash.Hash
	n int64
}

func (c *counting) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.h.Write(b[:n])
	c.n += int64(n)
	return n, err
}

// packError keeps faults, and hides paths of others: an --out may name a person.
func packError(err error) error {
	var f *fault.Error
	var p *os.PathError
	var l *os.LinkError
	switch {
	case err == nil || errors.As(err, &f) || errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &p):
		err = p.Err
	case errors.As(err, &l):
		err = l.Err
	}
	return fault.New(fault.Unavailable, "the package cannot be written: %v", err)
}
