package pgtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// supervise runs in a shell of its own: it makes and starts the cluster, says so with one line, and
// then reads its input until that ends. The input is a pipe that only our process holds open, so the
// cluster goes and its folder with it however we end: in order, by panic, or by a signal nobody can catch.
const supervise = `
trap '' INT TERM HUP
export LC_ALL=C PGTZ=UTC
cd "$2" && "$1/initdb" -D data -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >log 2>&1 &&
"$1/pg_ctl" -D data -s -w -t 60 -l log -o "$3" start >>log 2>&1 &&
echo ready && cat >/dev/null
"$1/pg_ctl" -D data -s -w -m immediate stop >>log 2>&1
cd / && rm -rf "$2"
`

// errMissing is the one line a developer without PostgreSQL reads.
var errMissing = errors.New("PostgreSQL is not installed: apt-get install postgresql-15 (or put initdb and pg_ctl into PATH)")

// Start makes a cluster in a temporary folder and answers the DSN of its superuser, on a unix
// socket. Settings are lines of postgresql.conf ("wal_level=logical", "fsync=on"); without them the
// cluster is quick and not durable. Stop ends it and removes the folder, and may be called twice;
// the end of the process does the same.
func Start(settings ...string) (dsn string, stop func(), err error) {
	bin, err := findBinaries()
	if err != nil {
		return "", nil, err
	}
	owner, err := serverUser()
	if err != nil {
		return "", nil, err
	}
	dir, err := newFolder(owner)
	if err != nil {
		return "", nil, err
	}
	stop, err = launch(bin, dir, options(dir, settings), owner)
	if err != nil {
		return "", nil, err
	}
	return "postgres://postgres@/postgres?host=" + url.QueryEscape(dir), stop, nil
}

// launch starts the supervising shell and waits for its line.
func launch(bin, dir, options string, owner *syscall.Credential) (func(), error) {
	cmd := exec.Command("sh", "-c", supervise, "pgtest", bin, dir, options)
	// A session of its own keeps an interrupt at the terminal from ending the shell before it cleans up.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: owner}
	cmd.Dir = dir
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("starting PostgreSQL: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting PostgreSQL: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting PostgreSQL: %w", err)
	}
	stop := func() {
		in.Close()
		_ = cmd.Wait() // the status is that of rm: nothing to act on
	}
	line := make([]byte, len("ready\n"))
	if _, err := io.ReadFull(out, line); err != nil || !bytes.Equal(line, []byte("ready\n")) {
		stop()
		return nil, fmt.Errorf("PostgreSQL in %s did not start (is TMPDIR readable for user postgres?)", bin)
	}
	return stop, nil
}

func options(dir string, settings []string) string {
	all := append([]string{
		"listen_addresses=", "unix_socket_directories=" + dir, "max_connections=300",
		"fsync=off", "synchronous_commit=off", "full_page_writes=off", "timezone=UTC",
	}, settings...)
	var b bytes.Buffer
	for _, s := range all {
		b.WriteString(" -c '" + s + "'")
	}
	return b.String()
}

// findBinaries prefers PATH, then the newest version where distributions put it.
func findBinaries() (string, error) {
	if p, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(p), nil
	}
	var found []string
	for _, glob := range []string{"/usr/lib/postgresql/*/bin/initdb", "/usr/pgsql-*/bin/initdb", "/opt/homebrew/opt/postgresql@*/bin/initdb"} {
		m, _ := filepath.Glob(glob)
		found = append(found, m...)
	}
	if len(found) == 0 {
		return "", errMissing
	}
	return filepath.Dir(slices.Max(found)), nil
}

// serverUser is who runs the server: ourselves, or postgres when we are root, whom it refuses.
func serverUser() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("running PostgreSQL as root needs a user postgres: %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("reading the id of user postgres: %w", err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("reading the group of user postgres: %w", err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

func newFolder(owner *syscall.Credential) (string, error) {
	dir, err := os.MkdirTemp("", "ombud-pg-")
	if err != nil {
		return "", fmt.Errorf("making a folder for PostgreSQL: %w", err)
	}
	if owner == nil {
		return dir, nil
	}
	if err := os.Chown(dir, int(owner.Uid), int(owner.Gid)); err != nil {
		return "", fmt.Errorf("giving the folder to user postgres: %w", err)
	}
	return dir, nil
}
