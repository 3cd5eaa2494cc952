package consoletest

import (
	"path/filepath"
	"slices"
	"time"

	"filippo.io/age"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/backup"
)

// keys makes API keys of every standing: in use, about to end, forgotten, revoked.
func (f *fill) keys() {
	if f.err != nil {
		return
	}
	const day = 24 * time.Hour
	for _, in := range []access.KeyInput{
		{Name: "shop checkout", Role: access.Service, For: 365 * day}, {Name: "newsletter sender", Role: access.Service, For: 20 * day},
		{Name: "catalog in the pipeline", Role: access.Developer}, {Name: "old shop", Role: access.Service, For: 365 * day},
	} {
		in.Actor = Actor
		made, secret, err := f.Keys.Create(f.ctx, in)
		f.must(err)
		if in.Name == "shop checkout" {
			f.Keys.Caller(secret)
		}
		if in.Name == "old shop" {
			_, err = f.Keys.Revoke(f.ctx, made.ID, Actor)
			f.must(err)
		}
	}
}

// backUp makes two backups, the older of which was looked at and brought back in a rehearsal.
func (f *fill) backUp() {
	if f.err != nil {
		return
	}
	id, err := age.GenerateX25519Identity()
	f.must(err)
	for i, name := range []string{"ombud-20261118-020000-40", "ombud-20261119-020000-60"} {
		path := filepath.Join(f.data(), "backups", name+backup.Extension)
		m, err := backup.Create(f.ctx, backup.Source{DB: f.DB, Ledger: f.Ledger, Vault: f.vault, Version: "test", Now: f.Clock.Now().Add(time.Duration(i-1) * 24 * time.Hour), Recipients: id.Recipient().String()}, path)
		f.must(err)
		if i == 0 {
			at := f.Clock.Now()
			f.must(backup.Remember(path, m.SHA256, func(c *backup.Checked) { c.Verified, c.Rehearsed, c.TookMS = &at, &at, 2300 }))
		}
	}
}

// looks are some that were written down.
func (f *fill) looks() {
	if f.err != nil {
		return
	}
	f.must(f.Ledger.Looked(f.ctx, Actor, f.refs[Person], "their page in the console"))
	keys, err := f.Keys.List(f.ctx)
	f.must(err)
	shop := slices.IndexFunc(keys, func(k access.Key) bool { return k.Name == "shop checkout" })
	for _, by := range []string{keys[shop].ID, "key_01m7yfzm6g8jvv8cyxdb4q8tfy"} { // of the second nobody knows any more
		f.must(f.Ledger.Looked(f.ctx, "service:"+by, f.refs[Person], "what they said, over HTTP"))
	}
	f.must(f.Requests.HandOut(f.ctx, f.refs["access-complete"], Actor))
}
