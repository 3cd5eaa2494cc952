package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/fault"
)

func (s *server) addAnswers(a huma.API) {
	receipt := operation("get-receipt", http.MethodGet, "/requests/{id}/receipt", "The signed receipt of the last run, as a file", 200)
	receipt.Responses = fileResponse("application/json")
	huma.Register(a, receipt, s.receipt)
	pack := operation("get-package", http.MethodGet, "/requests/{id}/package", "The access package, where it lies in the data directory", 200)
	pack.Responses = fileResponse("application/zip")
	huma.Register(a, pack, s.pack)
}

func fileResponse(contentType string) map[string]*huma.Response {
	return map[string]*huma.Response{"200": {
		Description: "The file", Content: map[string]*huma.MediaType{contentType: {Schema: &huma.Schema{Type: "string", Format: "binary"}}},
	}}
}

func (s *server) receipt(ctx context.Context, in *Named) (*huma.StreamResponse, error) {
	r, err := s.Requests.Get(ctx, in.ID)
	if err != nil {
		return nil, problem(err)
	}
	if r.Receipt == nil {
		return nil, problem(fault.New(fault.NotFound, "%s has no receipt yet", r.Ref))
	}
	out, err := file(r.Receipt.File, r.Ref+"-receipt.json", "application/json")
	if fault.KindOf(err) == fault.NotFound {
		err = fault.New(fault.Unavailable, "the receipt of %s is being filed", r.Ref).Then("Ask again in a moment.")
	}
	return out, problem(err)
}

func (s *server) pack(ctx context.Context, in *Named) (*huma.StreamResponse, error) {
	r, err := s.Requests.Get(ctx, in.ID)
	if err != nil {
		return nil, problem(err)
	}
	if r.Package == nil {
		return nil, problem(fault.New(fault.NotFound, "%s has no package", r.Ref))
	}
	f, err := open(filepath.Join(s.Dir, "packages", r.Ref+".zip"))
	if err != nil {
		return nil, problem(err) // no entry says that it was handed out
	}
	if err := s.Accounts.TakeAway(ctx, access.From(ctx)); err != nil {
		return nil, problem(errors.Join(err, f.Close()))
	}
	if err := s.Requests.HandOut(ctx, r.ID, access.From(ctx).Actor); err != nil {
		return nil, problem(errors.Join(err, f.Close()))
	}
	return stream(f, r.Ref+".zip", "application/zip"), nil
}

func file(path, name, contentType string) (*huma.StreamResponse, error) {
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	return stream(f, name, contentType), nil
}

func open(path string) (*os.File, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "the file was put elsewhere, or is gone")
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the file cannot be read")
	}
	return f, nil
}

// stream sends a file as an attachment, so that no browser shows in our name what others wrote, and closes it.
func stream(f *os.File, name, contentType string) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		defer f.Close()
		ctx.SetHeader("Content-Type", contentType)
		ctx.SetHeader("Content-Disposition", `attachment; filename="`+name+`"`)
		_, _ = io.Copy(ctx.BodyWriter(), f) // who hung up is told nothing
	}}
}
