package request

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/plan"
)

type exportInput struct {
	out      string
	actor    string
	progress func(plan.Progress)
}

// export answers a running access: rows into a sealed spool, the spool into a package, the package into
// its place, and then the request is finished. A run that ends before leaves no file.
func (s *Service) export(ctx context.Context, r *record, in exportInput) (*record, error) {
	e := ending{actor: in.actor}
	var err error
	if e.people, err = s.people(r); err != nil {
		return r, err
	}
	q, err := s.question(ctx, r, e.people)
	if err != nil {
		return r, err
	}
	file, err := s.pack(ctx, r, q, in, &e)
	if err != nil {
		return s.broke(ctx, r, err)
	}
	if verdict(e.outcome) == Broke {
		return s.finish(ctx, r, e)
	}
	if r, err = s.taken(ctx, r, in, e.plan); err == nil {
		err = file.place()
	} else {
		err = errors.Join(err, file.drop())
	}
	if err != nil {
		return s.broke(ctx, r, err)
	}
	done, err := s.finish(ctx, r, e)
	if err != nil {
		// What cannot be recorded does not happen.
		return done, errors.Join(err, os.Remove(file.path))
	}
	return done, nil
}

// taken says, before a package is where somebody asked for it, that they are given it. One that stays in the data directory is
// nobody's until HandOut.
func (s *Service) taken(ctx context.Context, r *record, in exportInput, p *plan.Plan) (*record, error) {
	if in.out == "" {
		return r, nil
	}
	next, err := s.do(ctx, r.id, command{entry: KindHandedOut, actor: in.actor, fields: shown(p)})
	if err != nil {
		return r, err
	}
	return next, nil
}

// pack exports the rows and writes the package beside its place, under a name of its own.
func (s *Service) pack(ctx context.Context, r *record, q plan.Question, in exportInput, e *ending) (*packageFile, error) {
	if in.out == "" {
		in.out = s.dir("packages", r.ref()+".zip")
		if err := os.MkdirAll(filepath.Dir(in.out), 0o700); err != nil {
			return nil, fault.Wrap(fault.Unavailable, err, "the folder for packages cannot be made")
		}
	}
	file, err := newPackageFile(in.out)
	if err != nil {
		return nil, err
	}
	rows, err := newSpool(s.dir("tmp"))
	if err != nil {
		return nil, errors.Join(err, file.drop())
	}
	err = s.fill(ctx, r, q, in, e, rows, file)
	if err = errors.Join(err, rows.Close()); err != nil {
		return nil, errors.Join(err, file.drop())
	}
	return file, nil
}

func (s *Service) fill(ctx context.Context, r *record, q plan.Question, in exportInput, e *ending, rows *spool, file *packageFile) (err error) {
	follow := s.follow(r, in.progress)
	e.plan, e.outcome, err = s.cfg.Engine.Export(ctx, q, rows, follow)
	if err != nil {
		return err
	}
	if verdict(e.outcome) == Broke {
		return file.drop()
	}
	follow(plan.Progress{Phase: "package"})
	p := &pack{
		config: s.cfg.Catalog.Config(), key: s.cfg.Vault, now: s.cfg.Clock.Now(), rows: rows,
		ref: r.ref(), received: r.received, reviewed: q.Reviewed, plan: e.plan, outcome: e.outcome,
	}
	e.pkg, err = p.write(ctx, file)
	return err
}

// KindHandedOut is the entry of everybody who takes a person's package.
const KindHandedOut = "package.read"

// HandOut says that actor is being given the package of a request. It is on the disk when HandOut returns, and only then may
// the file be opened; fault.NotFound when there is no package.
func (s *Service) HandOut(ctx context.Context, ref, actor string) error {
	known, err := s.Get(ctx, ref)
	if err != nil {
		return err
	}
	_, err = s.do(ctx, ref, command{entry: KindHandedOut, actor: actor, fields: shown(known.Plan), change: func(_ *db.Tx, r *record) error {
		if r.Package == nil {
			return fault.New(fault.NotFound, "%s has no package", r.ref())
		}
		return nil
	}})
	return err
}

// shown names what a package holds: the fields of each dataset, or the dataset where all of them.
func shown(p *plan.Plan) []string {
	out := []string{}
	if p == nil {
		return out
	}
	for _, sys := range p.Systems {
		for _, d := range sys.Datasets {
			at := sys.ID + "/" + d.Name
			if len(d.Fields) == 0 {
				out = append(out, at)
			}
			for _, f := range d.Fields {
				out = append(out, at+"."+f)
			}
		}
	}
	return out
}

// Package ships an access again, with the text that was held for review: somebody has looked at it and
// stands for that with this call, which the ledger records before a row is read. It can be done once,
// within reviewDays; then the identities are destroyed.
func (s *Service) Package(ctx context.Context, in RunInput) (*Request, error) {
	r, release, err := s.claim(ctx, in.Ref)
	if err != nil {
		return nil, err
	}
	defer release()
	if r.kind != plan.Access || r.retained != heldForReview {
		return s.reply(ctx, r, fault.New(fault.Conflict, "nothing is held for review in %s", r.ref()).
			Then("Start a new access: ombud dsr run --kind access --subject kind=value --out FILE"))
	}
	leave, err := s.enter(ctx, r)
	if err != nil {
		return s.reply(ctx, r, err)
	}
	defer leave()
	r, err = s.do(ctx, r.id, command{entry: "package.released", actor: in.Actor})
	if err == nil {
		r, err = s.shipReviewed(ctx, r, exportInput{out: in.Out, actor: in.Actor, progress: in.Progress})
	}
	return s.reply(ctx, r, err)
}

func (s *Service) shipReviewed(ctx context.Context, r *record, in exportInput) (*record, error) {
	people, err := s.people(r)
	if err != nil {
		return r, err
	}
	q, err := s.question(ctx, r, people)
	if err != nil {
		return r, err
	}
	q.Reviewed = true
	e := ending{actor: in.actor, people: people}
	file, err := s.pack(ctx, r, q, in, &e)
	if err != nil {
		return r, err
	}
	if on := verdict(e.outcome); on != Proven {
		return r, errors.Join(file.drop(), fault.New(fault.Waiting, "not every store could be read; nothing was shipped").
			Then("Try again when they answer: ombud dsr package %s", r.ref()))
	}
	if r, err = s.taken(ctx, r, in, e.plan); err != nil {
		return r, errors.Join(err, file.drop())
	}
	if err := file.place(); err != nil {
		return r, err
	}
	e.pkg.Reviewed = true
	r2, err := s.do(context.WithoutCancel(ctx), r.id, command{entry: "package.made", actor: program,
		content: map[string]any{"package": e.pkg.SHA256, "rows": e.pkg.Rows, "begun_by": in.actor}, change: func(tx *db.Tx, r *record) error {
			r.Package = e.pkg
			return s.forget(context.WithoutCancel(ctx), tx, r)
		}})
	if err != nil {
		return r, errors.Join(err, os.Remove(file.path))
	}
	if err := s.forgetRun(ctx, r.id); err != nil {
		s.cfg.Log.Error("a journal is not closed yet; the next start closes it", "request", r2.ref(), "error", err)
	}
	return r2, nil
}
