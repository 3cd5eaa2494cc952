package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/ombudhq/ombud/backup"
	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/vault"
)

// vaultCmd is the encryption keys: how old they are, new ones, and copies of them for safety.
type vaultCmd struct {
	List    vaultListCmd    `cmd:"" help:"Tell who keeps the keys, how old they are, and what is due. Never a key."`
	Rotate  vaultRotateCmd  `cmd:"" help:"Make new keys that wrap those of people, while everything is in use, and destroy the former."`
	Retire  vaultRetireCmd  `cmd:"" help:"Destroy former root keys, which are kept after a rotation for backups of data and the suppression ledger."`
	Backup  vaultBackupCmd  `cmd:"" help:"Copy the keys into a file encrypted to an age recipient. Keep it apart from backups of data."`
	Seal    vaultSealCmd    `cmd:"" help:"Seal the root key by a passphrase, or by another one: each start asks for it. Asks on a terminal, else reads one line of standard input."`
	Unseal  vaultUnsealCmd  `cmd:"" help:"Give the passphrase to an ombud serve that waits for it, on a terminal or as one line of standard input."`
	Restore vaultRestoreCmd `cmd:"" help:"Bring the keys back, where there are none."`
}

// KeyBackupOptions of `ombud vault backup`.
type KeyBackupOptions struct {
	To         string // file or folder
	Recipients string // as age takes them, one a line
	Keep       int    // so many stay in the folder, the newest; 0 is all
	Actor      string
}

// KeysBackedUp is a backup of the keys that was made.
type KeysBackedUp struct {
	File string `json:"file"`
	backup.KeysManifest
	Removed []string `json:"removed,omitempty"` // older ones that were deleted
}

// KeyRestoreOptions of `ombud vault restore`.
type KeyRestoreOptions struct {
	File       string
	Identities []byte // as age-keygen writes them
	PublicKey  string // file, "" for the key in the backup
}

// keysNow is what vault list tells.
type keysNow struct {
	vault.Ages
	Buckets int        `json:"buckets"`
	Keys    int        `json:"keys"`
	Due     *time.Time `json:"due,omitempty"` // when new ones should be made
	Overdue bool       `json:"overdue"`
	Sealed  bool       `json:"root_sealed"`  // by a passphrase
	Fresh   bool       `json:"backup_fresh"` // the newest backup holds every key there is
}

func (s *session) keysNow(ctx context.Context) (keysNow, error) {
	now := s.program.Clock.Now()
	a, err := s.Vault.Ages(ctx, now)
	if err != nil {
		return keysNow{}, err
	}
	k := keysNow{Ages: a, Buckets: a.Buckets, Keys: a.Keys, Fresh: a.Fresh(), Sealed: s.Vault.RootSealed()}
	var said catalog.Keys
	if s.Catalog != nil {
		said = s.Catalog.Config().Keys
	}
	if due, ever := said.Due(a.Rotated); ever {
		k.Due, k.Overdue = &due, !now.Before(due)
	}
	return k, nil
}

type vaultListCmd struct{}

func (*vaultListCmd) run(ctx context.Context, s *session) error {
	k, err := s.keysNow(ctx)
	if err != nil {
		return err
	}
	return s.answer(k, func() {
		s.heading("%s of people and requests, wrapped by %s, wrapped by %s.", count(k.Keys, "key"), count(k.Buckets, "bucket key"), k.Provider)
		s.printf("  version   %s of the key-encryption key\n  rotated   %s\n", k.Version, k.Rotated.Format(time.DateOnly))
		s.printf("  due       %s\n  backup    %s\n", k.dueText(), k.backupText())
		s.printf("  root key  %s\n", k.rootText())
		for _, f := range k.weak() {
			s.printf("\n! %s. %s\n", f.Message, f.Next)
		}
	})
}

func (k keysNow) dueText() string {
	switch {
	case k.Due == nil:
		return "never, as ombud.yaml says"
	case k.Overdue:
		return "since " + k.Due.Format(time.DateOnly)
	}
	return k.Due.Format(time.DateOnly)
}

func (k keysNow) rootText() string {
	text := fmt.Sprintf("generation %d", k.Root.Generation)
	if !k.Root.Rotated.IsZero() {
		text += ", of " + k.Root.Rotated.Format(time.DateOnly)
	}
	if k.Sealed {
		text += ", sealed by a passphrase"
	}
	if k.Root.Former > 0 {
		text += fmt.Sprintf("; %s kept for older backups, until ombud vault retire", count(k.Root.Former, "former one"))
	}
	return text
}

func (k keysNow) backupText() string {
	if k.Copied == nil {
		return "none"
	}
	return k.Copied.At.Format("2006-01-02 15:04")
}

// weak are the things about the keys that should be mended.
func (k keysNow) weak() (out []finding) {
	add := func(next, format string, args ...any) {
		out = append(out, finding{"keys", "weak", fmt.Sprintf(format, args...), next})
	}
	if k.Running != nil {
		add("ombud vault rotate goes on with it.", "a rotation of the keys, begun on %s, was cut off", k.Running.Began.Format(time.DateOnly))
	} else if k.Overdue {
		add("ombud vault rotate makes new ones.", "new keys are due since %s", k.Due.Format(time.DateOnly))
	}
	if r := k.Root.Running; r != nil {
		add("ombud vault rotate --root goes on with it.", "a rotation of the root key, begun on %s, was cut off", r.Began.Format(time.DateOnly))
	}
	switch {
	case k.Copied == nil:
		add("ombud vault backup --recipient age1… --to FOLDER makes one.", "the keys have no backup: without them nothing that was sealed opens")
	case !k.Fresh:
		add("ombud vault backup --recipient age1… --to FOLDER makes one.", "the newest backup of the keys, of %s, lacks keys or is old", k.backupText())
	}
	return out
}

func checkVault(ctx context.Context, s *session) []finding {
	k, err := s.keysNow(ctx)
	if err != nil {
		return bad("keys", err)
	}
	if weak := k.weak(); len(weak) > 0 {
		return weak
	}
	return good("keys", "kept by %s, new since %s, all in a backup", k.Provider, k.Rotated.Format(time.DateOnly))
}

type vaultBackupCmd struct {
	To            string `required:"" help:"File, or folder to put it into; on another disk than the data, and apart from backups of data." placeholder:"PATH"`
	Recipient     string `xor:"to" required:"" help:"Whom it is encrypted to, as age-keygen prints it: age1…" placeholder:"AGE1…"`
	RecipientFile string `xor:"to" required:"" help:"File of recipients, one a line." placeholder:"FILE"`
	Keep          int    `help:"So many of them stay in the folder; older ones are deleted, for they open who was forgotten since. Default: all." placeholder:"N"`
}

func (*vaultBackupCmd) writes() {}

func (c *vaultBackupCmd) inputs() []string {
	return (&backupCreateCmd{RecipientFile: c.RecipientFile}).inputs()
}

func (c *vaultBackupCmd) run(ctx context.Context, s *session) error {
	if c.Keep < 0 {
		return fault.New(fault.Invalid, "--keep is a number of backups")
	}
	to := c.Recipient
	if c.RecipientFile != "" {
		b, err := s.env.read(c.RecipientFile)
		if err != nil {
			return err
		}
		to = string(b)
	}
	made, err := s.BackUpKeys(ctx, KeyBackupOptions{To: s.env.Abs(c.To), Recipients: to, Keep: c.Keep, Actor: s.actor()})
	if err != nil {
		return err
	}
	return s.answer(made, func() {
		s.heading("The keys are copied: %s of people and requests.", count(made.Keys, "key"))
		s.printf("  file      %s\n  sha256    %s\n", made.File, made.SHA256)
		for _, name := range made.Removed {
			s.printf("  deleted   %s\n", name)
		}
		s.printf("\nWho has it, its identity and a backup of data can read everything in there. An older one still opens who was forgotten\nsince: delete it.\n")
	})
}

type vaultRestoreCmd struct {
	File     string `arg:"" help:"The backup."`
	Identity string `required:"" help:"Identity it is encrypted to, as age-keygen writes it." placeholder:"KEYFILE"`
	Key      string `help:"Public key it must be of. Default: the one in it." placeholder:"FILE"`
}

func (c *vaultRestoreCmd) runPlain(ctx context.Context, s *session) error {
	ids, err := s.env.read(c.Identity)
	if err != nil {
		return err
	}
	if s.program.RestoreKeys == nil {
		return fault.New(fault.Unavailable, "this program cannot restore")
	}
	m, err := s.program.RestoreKeys(ctx, s.place(), KeyRestoreOptions{File: s.env.Abs(c.File), Identities: ids, PublicKey: s.env.Abs(c.Key)})
	if err != nil {
		return err
	}
	return s.answer(m, func() {
		s.heading("The keys are back, as they were on %s: %s of people and requests.", m.Created.Format("2006-01-02 15:04"), count(m.Keys, "key"))
		s.printf("\nThe next start forgets again who was forgotten since. What was sealed under keys made later stays closed.\n")
	})
}
