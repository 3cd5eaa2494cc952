package console

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/request"
)

func (v *visit) get() (*request.Request, error) {
	return v.Requests.Get(v.r.Context(), v.r.PathValue("ref"))
}

// planFile is the plan as programs read it.
func (v *visit) planFile() error {
	r, err := v.get()
	if err != nil {
		return err
	}
	if r.Plan == nil {
		return fault.New(fault.NotFound, "%s has no plan", r.Ref)
	}
	return v.sendJSON(r.Ref+"-plan.json", r.Plan)
}

// proofFile proves that an entry of this request is in the log.
func (v *visit) proofFile() error {
	r, err := v.get()
	if err != nil {
		return err
	}
	id, err := strconv.ParseInt(v.r.PathValue("id"), 10, 64)
	if err != nil || !slices.Contains(r.Entries, id) {
		return fault.New(fault.NotFound, "%s has no such entry", r.Ref)
	}
	proof, err := v.Ledger.Prove(v.r.Context(), id)
	if err != nil {
		return err
	}
	return v.sendJSON(fmt.Sprintf("%s-entry-%d.json", r.Ref, id), proof)
}

func (v *visit) receipt() error {
	r, err := v.get()
	if err != nil {
		return err
	}
	if r.Receipt == nil {
		return fault.New(fault.NotFound, "%s has no receipt yet", r.Ref)
	}
	return v.sendFile(r.Receipt.File, r.Ref+"-receipt.json", "application/json")
}

func (v *visit) opening() error {
	r, err := v.get()
	if err != nil {
		return err
	}
	if r.Receipt == nil || r.Receipt.Opening == "" {
		return fault.New(fault.NotFound, "%s has nothing that opens a receipt", r.Ref)
	}
	return v.sendFile(r.Receipt.Opening, r.Ref+"-opening.json", "application/json")
}

func (v *visit) packageFile() error {
	r, err := v.get()
	if err != nil {
		return err
	}
	if r.Package == nil {
		return fault.New(fault.NotFound, "%s has no package", r.Ref)
	}
	f, err := open(v.packagePath(r))
	if err != nil {
		return err // no entry says that it was handed out
	}
	defer f.Close()
	if err := v.Accounts.TakeAway(v.r.Context(), v.caller); err != nil {
		return err
	}
	if err := v.Requests.HandOut(v.r.Context(), r.ID, v.Actor); err != nil {
		return err
	}
	return v.send(f, r.Ref+".zip", "application/zip")
}

func (v *visit) packagePath(r *request.Request) string {
	return filepath.Join(v.Dir, "packages", r.Ref+".zip")
}

func (v *visit) sendJSON(name string, x any) error {
	b, err := json.MarshalIndent(x, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding %s: %w", name, err)
	}
	v.attach(name, "application/json")
	_, _ = v.w.Write(append(b, '\n')) // who hung up is told nothing
	return nil
}

func (v *visit) sendFile(path, name, kind string) error {
	f, err := open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return v.send(f, name, kind)
}

func open(path string) (*os.File, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "this file was put elsewhere, or is gone").Then("Whoever ran the request on the command line named its place.")
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the file cannot be read")
	}
	return f, nil
}

// send sends a file as an attachment, so that no browser shows in our name what others wrote.
func (v *visit) send(f *os.File, name, kind string) error {
	info, err := f.Stat()
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the file cannot be read")
	}
	v.attach(name, kind)
	http.ServeContent(v.w, v.r, "", info.ModTime(), f)
	return nil
}

func (v *visit) attach(name, kind string) {
	v.w.Header().Set("Content-Type", kind)
	v.w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
}
