package request_test

import (
	"archive/zip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
)

func (w *world) access(out string, ids ...string) *request.Request {
	w.t.Helper()
	r, err := w.s.RunNow(w.t.Context(), request.PlanInput{Kind: plan.Access, People: people(ids...), Actor: "local:kari"}, out, nil)
	w.must(err)
	return r
}

// inside gives the text of all files of a package, and its names.
func inside(t *testing.T, path string) (text, names string) {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil {
			t.Fatal(err)
		}
		text, names = text+string(b), names+f.Name+"\n"
	}
	return text, names
}

func TestAccessShipsHerDataAndNobodyElses(t *testing.T) {
	w := newWorld(t)
	out := filepath.Join(w.dir, "ida.zip")
	w.must(os.WriteFile(out, []byte("old"), 0o644))
	r := w.access(out, "email=IDA@example.com")
	if r.State != request.Complete || r.Package == nil || r.Receipt == nil {
		t.Fatalf("%s: %+v", r.State, r.Outcome)
	}
	if st, err := os.Stat(out); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the package: %v, %v", st, err)
	}
	if info, err := request.VerifyPackage(out, w.vault.PublicKey()); err != nil || info.Ref != r.Ref {
		t.Errorf("%+v, %v", info, err)
	}
	text, names := inside(t, out)
	for _, want := range []string{"Ida Nordmann", "12.50", "7.00", "2024-01-01", "from ida to bo"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the package", want)
		}
	}
	for _, no := range []string{"Bo Berg", "bo@example.com", "99.00", "from bo to ida"} {
		if strings.Contains(text, no) {
			t.Errorf("%q is in the package", no)
		}
	}
	if strings.Contains(strings.ToLower(names), "ida") || len(r.Outcome.Held) == 0 {
		t.Errorf("names %q, held %+v", names, r.Outcome.Held)
	}
	if left, _ := filepath.Glob(filepath.Join(w.dir, "data", "tmp", "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestHeldTextShipsAfterReviewOnce(t *testing.T) {
	w := newWorld(t)
	r := w.access(filepath.Join(w.dir, "first.zip"), "email=ida@example.com")
	out := filepath.Join(w.dir, "reviewed.zip")
	got, err := w.s.Package(t.Context(), request.RunInput{Ref: r.Ref, Out: out, Actor: "local:kari"})
	if err != nil || got.Package == nil || !got.Package.Reviewed || got.Masked != "····" {
		t.Fatalf("%v, %+v", err, got)
	}
	if text, _ := inside(t, out); !strings.Contains(text, "from bo to ida") {
		t.Error("the reviewed text is not in the package")
	}
	if _, err := w.s.Package(t.Context(), request.RunInput{Ref: r.Ref, Out: out, Actor: "local:kari"}); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a second time: %v", err)
	}
	if where := w.inData("ida@"); len(where) > 0 {
		t.Errorf("her address is still in %v", where)
	}
}

func TestReviewExpires(t *testing.T) {
	w := newWorld(t)
	r := w.access(filepath.Join(w.dir, "first.zip"), "email=ida@example.com")
	w.clock.Advance(29 * 24 * 3600e9)
	w.must(w.s.Expire(t.Context()))
	if w.get(r.Ref).Masked == "····" {
		t.Error("expired too early")
	}
	w.clock.Advance(2 * 24 * 3600e9)
	w.must(w.s.Expire(t.Context()))
	if w.get(r.Ref).Masked != "····" {
		t.Error("the identities outlive the review")
	}
	if _, err := w.s.Package(t.Context(), request.RunInput{Ref: r.Ref, Actor: "local:kari"}); fault.KindOf(err) != fault.Conflict {
		t.Errorf("package after expiry: %v", err)
	}
}

func TestPlannedAccessRunsWithoutApproval(t *testing.T) {
	w := newWorld(t)
	r := w.plan(plan.Access, "email=bo@example.com")
	got, err := w.s.Run(t.Context(), request.RunInput{Ref: r.Ref, Actor: "local:kari"})
	if err != nil || got.State != request.Complete {
		t.Fatalf("%v, %+v", err, got)
	}
	if _, err := os.Stat(filepath.Join(w.dir, "data", "packages", r.Ref+".zip")); err != nil {
		t.Error(err)
	}
}

func TestAccessThatCannotBeWrittenFailsAndCanBeRetried(t *testing.T) {
	w := newWorld(t)
	in := request.PlanInput{Kind: plan.Access, People: people("email=ida@example.com"), Actor: "local:kari"}
	r, err := w.s.RunNow(t.Context(), in, filepath.Join(w.dir, "none", "ida.zip"), nil)
	if fault.KindOf(err) != fault.Unavailable || r.State != request.Failed || strings.Contains(r.Failure, "ida.zip") {
		t.Fatalf("%v, %+v", err, r)
	}
	out := filepath.Join(w.dir, "ida.zip")
	if r, err = w.s.Retry(t.Context(), request.RunInput{Ref: r.Ref, Out: out, Actor: "local:kari"}); err != nil || r.State != request.Complete {
		t.Errorf("%v, %+v", err, r)
	}
}

func TestAccessWithAStoreDownSaysSo(t *testing.T) {
	w := newWorld(t)
	w.down("mail")
	out := filepath.Join(w.dir, "ida.zip")
	r := w.access(out, "email=ida@example.com")
	if r.State != request.Incomplete {
		t.Fatalf("%s", r.State)
	}
	if text, _ := inside(t, out); !strings.Contains(text, "What is missing here") {
		t.Error("the page does not say what is missing")
	}
}

// TestInterruptedAccessIsToldAndLeavesNothing: a killed export is never continued behind anybody's back.
func TestInterruptedAccessIsToldAndLeavesNothing(t *testing.T) {
	w := newWorld(t)
	r := w.plan(plan.Access, "email=ida@example.com")
	out := filepath.Join(w.dir, "ida.zip")
	ctx, cancel := contextWith(t)
	_, err := w.s.Run(ctx, request.RunInput{Ref: r.Ref, Out: out, Actor: "local:kari", Progress: func(plan.Progress) { cancel() }})
	if err == nil || w.get(r.Ref).State != request.Running {
		t.Fatalf("%v, %s", err, w.get(r.Ref).State)
	}
	w.restart()
	w.must(w.s.Recover(t.Context()))
	if got := w.get(r.Ref); got.State != request.Failed || got.Failure == "" {
		t.Errorf("%+v", got)
	}
	if left, _ := filepath.Glob(filepath.Join(w.dir, "*ombud-package*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a package is there")
	}
}
