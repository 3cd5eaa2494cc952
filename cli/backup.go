package cli

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ombudhq/ombud/backup"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/vault"
)

// backupCmd copies the own store and brings it back. Keys and suppression ledger are in no backup: keep them elsewhere.
type backupCmd struct {
	Create   backupCreateCmd   `cmd:"" help:"Copy the own store into a file encrypted to an age recipient, while it is in use."`
	List     backupListCmd     `cmd:"" help:"List the backups of a folder and what they hold."`
	Verify   backupVerifyCmd   `cmd:"" help:"Read a backup and compare it with what was signed."`
	Restore  backupRestoreCmd  `cmd:"" help:"Bring a backup back, and everything that was withdrawn or erased since."`
	Rehearse backupRehearseCmd `cmd:"" help:"Do all that restore does beside everything, and leave nothing."`

	AcceptGap backupGapCmd  `cmd:"" help:"Write the file in which two accounts accept that the suppression ledger or the store is older than it was."`
	Sign      backupSignCmd `cmd:"" help:"Sign that file with an account: password and code of the second factor, each a line of standard input."`
}

type backupCreateCmd struct {
	To            string `help:"File, or folder to put it into. Default DIR/backups." placeholder:"PATH"`
	Recipient     string `xor:"to" required:"" help:"Whom it is encrypted to, as age-keygen prints it: age1…" placeholder:"AGE1…"`
	RecipientFile string `xor:"to" required:"" help:"File of recipients, one a line." placeholder:"FILE"`
}

func (*backupCreateCmd) writes() {}

func (c *backupCreateCmd) inputs() []string {
	if c.RecipientFile == "" {
		return nil
	}
	return []string{c.RecipientFile}
}

func (c *backupCreateCmd) run(ctx context.Context, s *session) error {
	to := c.Recipient
	if c.RecipientFile != "" {
		b, err := s.env.read(c.RecipientFile)
		if err != nil {
			return err
		}
		to = string(b)
	}
	made, err := s.BackUp(ctx, BackupOptions{To: s.env.Abs(c.To), Recipients: to, Actor: s.actor()})
	if err != nil {
		return err
	}
	return s.answer(made, func() {
		s.heading("The own store is copied, as it was at entry %s.", number(made.Size))
		s.printf("  file      %s\n  size      %s bytes, encrypted\n  sha256    %s\n", made.File, number(made.Bytes), made.SHA256)
		s.printf("\nIt holds neither the keys (%s) nor the suppression ledger (heads:). A restore needs both: keep copies of them, each\nelsewhere than the backup.\n",
			filepath.Join(s.Place.Data, "keys"))
	})
}

type backupListCmd struct {
	Dir string `arg:"" optional:"" help:"Folder. Default DIR/backups."`
}

func (c *backupListCmd) runPlain(_ context.Context, s *session) error {
	pub, err := vault.LoadPublicKey(s.publicKey(""))
	if err != nil {
		return err
	}
	dir := s.env.Abs(c.Dir)
	if dir == "" {
		dir = filepath.Join(s.place().Data, "backups")
	} else if _, err := os.Stat(dir); err != nil { // a typing error is not an empty folder
		return fault.Wrap(fault.Invalid, err, "%s cannot be read", c.Dir)
	}
	all, err := backup.List(dir, pub)
	if err != nil {
		return err
	}
	return s.answer(map[string]any{"backups": all}, func() {
		if len(all) == 0 {
			s.heading("There is no backup. ombud backup create --recipient age1… makes one.")
			return
		}
		s.heading("%s.", count(len(all), "backup"))
		t := newTable("file", "made", "entries", "bytes", "verified", "rehearsed", "").numbers(2, 3)
		for _, b := range all {
			seen := backup.Checked{}
			if b.Checked != nil {
				seen = *b.Checked
			}
			t.row(b.File, b.Created.Format(time.DateOnly+" 15:04"), number(b.Size), number(b.Bytes), moment(seen.Verified, "never"), moment(seen.Rehearsed, "never"), b.Problem+seen.Problem)
		}
		t.print(s)
	})
}

// backupFile names a backup and what opens it.
type backupFile struct {
	File     string `arg:"" help:"The backup."`
	Identity string `required:"" help:"Identity it is encrypted to, as age-keygen writes it." placeholder:"KEYFILE"`
}

func (c *backupFile) options(s *session) (RestoreOptions, error) {
	ids, err := s.env.read(c.Identity)
	return RestoreOptions{File: s.env.Abs(c.File), Identities: ids}, err
}

type backupVerifyCmd struct {
	File string `arg:"" help:"The backup."`
	Key  string `help:"Public key to check it with. Default keys/ombud.pub in the data directory." placeholder:"FILE"`
}

func (c *backupVerifyCmd) runPlain(_ context.Context, s *session) error {
	pub, err := vault.LoadPublicKey(s.publicKey(c.Key))
	if err != nil {
		return err
	}
	b, err := backup.Open(s.env.Abs(c.File), pub)
	if err != nil {
		return err
	}
	defer b.Close()
	err = b.Check()
	s.remember(c.File, b.SHA256, err, func(c *backup.Checked, now time.Time) { c.Verified = &now })
	if err != nil {
		return err
	}
	return s.answer(b.Manifest, func() {
		s.heading("The backup is as it was made on %s.", b.Created.Format(time.DateOnly+" 15:04"))
		s.printf("  entries   %s, root %s\n  acts      %s in the suppression ledger by then\n", number(b.Size), b.Root, number(b.Acts))
		s.printf("  note      only a rehearsal shows that it can be restored: ombud backup rehearse\n")
	})
}

type backupRestoreCmd struct {
	backupFile
	AcceptGap string `help:"File in which two people accept that the suppression ledger is missing or older, and why." placeholder:"FILE"`
}

func (c *backupRestoreCmd) runPlain(ctx context.Context, s *session) error {
	o, err := c.options(s)
	if err != nil {
		return err
	}
	if o.Gap, err = s.readGap(c.AcceptGap); err != nil {
		return err
	}
	if s.program.Restore == nil {
		return fault.New(fault.Unavailable, "this program cannot restore")
	}
	out, err := s.program.Restore(ctx, s.place(), o)
	if err != nil {
		return err
	}
	return s.answer(out, func() {
		s.heading("The store is back, as it was on %s, with what was withdrawn and erased since.", out.Backup.Created.Format(time.DateOnly+" 15:04"))
		s.showRestored(out)
	})
}

type backupRehearseCmd struct{ backupFile }

func (c *backupRehearseCmd) runPlain(ctx context.Context, s *session) error {
	o, err := c.options(s)
	if err != nil {
		return err
	}
	if s.program.Rehearse == nil {
		return fault.New(fault.Unavailable, "this program cannot restore")
	}
	out, err := s.program.Rehearse(ctx, s.place(), o)
	s.remember(c.File, out.Backup.SHA256, err, func(c *backup.Checked, now time.Time) { c.Rehearsed, c.TookMS = &now, out.TookMS })
	if err != nil {
		return err
	}
	return s.answer(out, func() {
		s.heading("The backup can be restored. Nothing was changed, and nothing is left of the rehearsal.")
		s.showRestored(out)
		s.printf("  took          %s\n", wait(out.TookMS))
	})
}

// remember notes beside a backup what a look at it found, for the console and the list. It is no evidence: where it cannot be
// written, as on a medium that is read only, nothing is lost.
func (s *session) remember(name, sha256 string, failed error, good func(*backup.Checked, time.Time)) {
	if sha256 == "" {
		return
	}
	_ = backup.Remember(s.env.Abs(name), sha256, func(c *backup.Checked) {
		if c.Problem = ""; failed != nil {
			c.Problem = problemOf(failed).Message
			return
		}
		good(c, s.program.Clock.Now().UTC().Truncate(time.Second))
	})
}

func (s *session) showRestored(r Restored) {
	s.printf("  ledger        %s, read again and verified; epoch %d\n", entries(r.Entries), r.Epoch)
	s.printf("  lost          %s made after the backup\n", entries(r.Lost))
	for _, kind := range slices.Sorted(maps.Keys(r.Again)) {
		s.printf("  done again    %s × %s\n", number(r.Again[kind]), kind)
	}
	if len(r.Again) == 0 {
		s.printf("  done again    nothing: the suppression ledger knows of no later act\n")
	}
	if len(r.Locked) > 0 {
		s.printf("  locked out    %s: ombud admin reset --name N gives each a setup link\n", strings.Join(r.Locked, ", "))
	}
}
