package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/backup"
	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/event/redis"
	"github.com/ombudhq/ombud/internal/transport"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/subject"
	"github.com/ombudhq/ombud/vault"
)

// Program is what commands need from the rest: functions, given by whoever wires it.
type Program struct {
	// Version of the program, as `ombud version` prints it.
	Version string
	// Clock is the machine's unless a test gives another.
	Clock clock.Clock
	// Open takes the data directory; *Owned (for errors.As) when another process has it.
	Open func(context.Context, Place) (*Services, error)
	// Forward runs the call in the process that owns the directory, copies its output, and answers its exit code.
	// *Owned never; ErrNoOwner when the owner has ended, and Open may be tried again.
	Forward func(ctx context.Context, dir string, c *Call, stdout, stderr io.Writer) (int, error)
	// Unseal gives a passphrase to a serve that waits for it, by somebody as the ledger has them; nil where this process is none.
	Unseal func(ctx context.Context, passphrase []byte, by string) error
	// Serve runs until ctx ends.
	Serve func(context.Context, Place, ServeOptions) error
	// Restore brings a backup back into an empty place; Rehearse does it beside everything and leaves nothing.
	Restore, Rehearse func(context.Context, Place, RestoreOptions) (Restored, error)
	// NewGap says what a gap is about; SignGap adds the signature of an account.
	NewGap  func(context.Context, Place, GapOptions) (Gap, error)
	SignGap func(context.Context, Place, Gap, GapOptions) (Gap, error)
	// RestoreKeys brings the keys back into a place that has none.
	RestoreKeys func(context.Context, Place, KeyRestoreOptions) (backup.KeysManifest, error)
	// Catalog connects a configuration's systems.
	Catalog func(context.Context, *catalog.Config) *catalog.Catalog
	// Demo makes the demo company and walks through it; an error when its erasure did not end complete.
	Demo func(context.Context, DemoOptions) error
}

// Place is where things are, all paths absolute or as given from Dir.
type Place struct {
	Data    string // data directory
	Config  string // ombud.yaml
	Store   string // own store: a file or postgres://…; "" is Data/ombud.db
	Command string // what the lock says about us: "ombud serve"
	// Passphrase gives what a sealed root key opens by, as often as it is asked; nil where nobody can be asked.
	Passphrase func() ([]byte, error)
	// Damaged opens also where the ledger is not what was signed, for VerifyLedger alone.
	Damaged bool
}

// Services are the open parts that commands call. Close leaves a checkpoint and gives the directory back.
type Services struct {
	Place    Place
	Catalog  *catalog.Catalog
	Ledger   *ledger.Ledger
	Vault    *vault.Vault
	Holds    *subject.Holds
	Requests *request.Service
	Keys     *access.Keys
	Accounts *access.Accounts
	Policies *access.Policies
	Mirror   *redis.Mirror // nil where ombud.yaml names none
	Consents *consent.Service
	Purposes *purpose.Register
	Address  string   // where the console is, or would be with a plain serve, without a slash at the end
	Serving  bool     // it is there now
	Warnings []string // what weakens a promise here and could be mended: a head that lies beside the data
	Mended   []string // what this start had to mend: whichever command it was made for says so
	// VerifyLedger reads everything again; it works where the ledger is damaged and Ledger is nil.
	VerifyLedger func(context.Context, ledger.VerifyOptions) (ledger.Report, error)
	// StoreHealth names the engine of the own store, or tells why what it answers may be lost.
	StoreHealth func(context.Context) (engine string, err error)
	// Certificate tells how it stands with the one an authority gives; nil where none is asked.
	Certificate func() (*transport.Standing, error)
	// Checkpoint makes what was written verifiable from outside.
	Checkpoint func(context.Context) error
	// BackUp copies the own store into an encrypted file.
	BackUp func(context.Context, BackupOptions) (BackedUp, error)
	// Pseudonyms gives them, and says who one is to those who may know.
	Pseudonyms *subject.Pseudonyms
	// RotateKeys makes new keys, and tells each how many buckets of how many are done.
	RotateKeys func(ctx context.Context, actor string, each func(done, of int)) (vault.Rotated, error)
	// RotateRoot makes a new root key and seals everything again under it; it tells each how many values of how many are done.
	RotateRoot func(ctx context.Context, actor string, each func(done, of int)) (vault.Turn, error)
	// SealRoot seals the root key by a passphrase; an empty one leaves it open again.
	SealRoot func(ctx context.Context, passphrase []byte, actor string) error
	// RetireRoots destroys the former root keys, and gives how many.
	RetireRoots func(ctx context.Context, actor string) (int, error)
	// BackUpKeys copies the keys into an encrypted file.
	BackUpKeys func(context.Context, KeyBackupOptions) (KeysBackedUp, error)
	// FollowWithdrawal gives the erasure that follows from a withdrawal, by its revision; nil where nothing is to go.
	FollowWithdrawal func(ctx context.Context, revision int64) (*request.Request, error)
	// Replay does erasures again in a customer's store that was restored.
	Replay func(context.Context, ReplayOptions) (*request.Request, error)
	// Close ends the use of the services, and the services when nobody else uses them.
	Close func() error
}

// ServeOptions of `ombud serve`.
type ServeOptions struct {
	Listen string
	Actor  string // who started it, for the ledger
	// Ask asks the terminal for the passphrase of the root key; nil where there is none.
	Ask func(context.Context) ([]byte, error)
	Gap *Gap // accepted where the store is not what was used last
	// Ready is called once, when requests are answered, with the address to open. The token in it is a secret.
	Ready func(url string)
	Log   io.Writer
	// Idle is after how long without a visit a session ends; 0 is 15 minutes.
	Idle time.Duration
	// Admin, when it has a name, is the first account, made when there is none.
	Admin access.NewAccount
}

// BackupOptions of `ombud backup create`.
type BackupOptions struct {
	To         string // file or folder; "" is Data/backups
	Recipients string // as age takes them, one a line
	Actor      string
}

// ReplayOptions of `ombud replay-erasures`.
type ReplayOptions struct {
	System string
	request.ReplayInput
}

// BackedUp is a backup that was made.
type BackedUp struct {
	File string `json:"file"`
	backup.Manifest
}

// RestoreOptions of `ombud backup restore` and `rehearse`.
type RestoreOptions struct {
	File       string
	Identities []byte // as age-keygen writes them
	Gap        *Gap   // accepted although what lies outside is missing or older; nil for none
}

// Restored is what a restore came to.
type Restored struct {
	Backup  backup.Manifest `json:"backup"`
	Epoch   int64           `json:"epoch"`
	Entries int64           `json:"entries"`              // of the ledger, all read again
	Lost    int64           `json:"lost"`                 // entries that were made after the backup, as far as anybody outside knows
	Again   map[string]int  `json:"again"`                // acts that were done again, by kind
	Locked  []string        `json:"locked_out,omitempty"` // names of accounts that nothing opens until they are reset
	TookMS  int64           `json:"took_ms,omitempty"`
}

// Gap is who accepted that the store, or what lies outside it, is older than it was, and why.
type Gap struct {
	Because  string         `json:"because"`
	Accepted []string       `json:"accepted,omitempty"` // names, where there are no accounts that could sign
	Of       *GapOf         `json:"of,omitempty"`
	Signed   []GapSignature `json:"signed,omitempty"`
}

// GapOf is what a gap is accepted for: a backup, or the store with this ledger.
type GapOf struct {
	Backup string `json:"backup,omitempty"` // SHA-256, as its manifest says
	Size   int64  `json:"size,omitempty"`
	Root   string `json:"root,omitempty"`
}

// GapSignature says that an account accepted; the installation's key signs that it proved itself.
type GapSignature struct {
	Account   string    `json:"account"`
	At        time.Time `json:"at"`
	Signature []byte    `json:"signature"`
}

// GapOptions of `ombud backup accept-gap` and `sign`.
type GapOptions struct {
	Backup               string // file, when a backup is restored; "" is the store of the place
	Identities           []byte // that open the backup
	Because              string
	Name, Password, Code string // of whoever signs
}

// DemoOptions of `ombud demo`.
type DemoOptions struct {
	Dir string
	Out io.Writer
	// Command runs a command line in the demo's folder as if it were typed there, and answers its exit code.
	Command func(ctx context.Context, stdout, stderr io.Writer, args ...string) int
}

// Owner is who has a data directory, as its lock file says.
type Owner struct {
	PID     int       `json:"pid"`
	Since   time.Time `json:"since"`
	Command string    `json:"command"`
}

// Owned says that another process owns the data directory.
type Owned struct {
	Dir   string
	Owner Owner
}

func (o *Owned) Error() string {
	if o.Owner.PID == 0 {
		return fmt.Sprintf("the data directory %s is in use by another process", o.Dir)
	}
	return fmt.Sprintf("the data directory %s is in use by %q, process %d, since %s",
		o.Dir, o.Owner.Command, o.Owner.PID, o.Owner.Since.Format(time.RFC3339))
}

// ErrNoOwner says that nobody answered for a data directory: its owner is just starting or ending.
var ErrNoOwner = fmt.Errorf("the owner of the data directory does not answer")

// Call is a command line on its way to the process that owns the directory.
type Call struct {
	Args     []string          `json:"args"`
	Dir      string            `json:"dir"`              // where it was typed
	Inputs   map[string][]byte `json:"inputs,omitempty"` // what the files it names hold
	Terminal bool              `json:"terminal,omitempty"`
	Progress bool              `json:"progress,omitempty"`
	Color    bool              `json:"color,omitempty"`
	Width    int               `json:"width,omitempty"`
}
