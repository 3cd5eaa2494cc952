package mariatest

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/go-sql-driver/mysql"
)

// errMissing is the one line that tells what to do.
var errMissing = errors.New("MariaDB is not installed: apt-get install mariadb-server")

// supervise runs the server for as long as its standard input stays open, then removes everything.
// The test process holds the other end: however it dies, the pipe closes.
const supervise = `dir=$1; shift
"$@" </dev/null & server=$!
(read -r _; kill -9 $server) 2>/dev/null <&3 &
wait $server
rm -rf "$dir"`

// Start starts a private server and answers the DSN of its administrator. The server ends, and its
// files go, at stop or when this process ends. Stop may be called more than once.
func Start() (dsn string, stop func(), err error) {
	server, install := find("mariadbd", "mysqld"), find("mariadb-install-db", "mysql_install_db")
	if server == "" || install == "" {
		return "", nil, errMissing
	}
	who, err := account()
	if err != nil {
		return "", nil, err
	}
	dir, err := folder(who)
	if err != nil {
		return "", nil, err
	}
	pass := random()
	if err := prepare(install, dir, pass, who); err != nil {
		os.RemoveAll(dir)
		return "", nil, err
	}
	stop, err = launch(server, dir, who)
	if err != nil {
		os.RemoveAll(dir)
		return "", nil, err
	}
	dsn = "ombudtest:" + pass + "@unix(" + filepath.Join(dir, "sock") + ")/"
	if err := await(dsn, dir); err != nil {
		stop()
		return "", nil, err
	}
	return dsn, stop, nil
}

func find(names ...string) string {
	for _, n := range names {
		for _, p := range []string{n, "/usr/sbin/" + n, "/usr/local/sbin/" + n} {
			if path, err := exec.LookPath(p); err == nil {
				return path
			}
		}
	}
	return ""
}

// account is whose rights the server runs with: MariaDB refuses root, so root lends it the account
// that the package made; anybody else runs it himself (nil).
func account() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("mysql")
	if err != nil {
		return nil, errMissing
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// folder is always below /tmp: a socket's path may have 107 bytes, and a test's TMPDIR can be longer.
func folder(who *syscall.Credential) (string, error) {
	dir, err := os.MkdirTemp("/tmp", "mariatest")
	if err != nil {
		return "", err
	}
	if who == nil {
		return dir, nil
	}
	return dir, os.Chown(dir, int(who.Uid), int(who.Gid))
}

// prepare fills the data directory and writes the statement that makes the administrator.
func prepare(install, dir, pass string, who *syscall.Credential) error {
	cmd := exec.Command(install, "--no-defaults", "--datadir="+filepath.Join(dir, "data"),
		"--auth-root-authentication-method=normal", "--skip-test-db", "--innodb-log-file-size=8M")
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("preparing a private MariaDB: %w\n%s", err, out)
	}
	first := "CREATE USER ombudtest@'%' IDENTIFIED BY '" + pass + "';\n" +
		"GRANT ALL ON *.* TO ombudtest@'%' WITH GRANT OPTION;\n" +
		"DELETE FROM mysql.global_priv WHERE User IN ('', 'root');\nFLUSH PRIVILEGES;\n"
	return os.WriteFile(filepath.Join(dir, "first.sql"), []byte(first), 0o644)
}

func launch(server, dir string, who *syscall.Credential) (stop func(), err error) {
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	read, hold, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer read.Close()
	cmd := exec.Command("/bin/sh", append([]string{"-c", supervise, "mariatest", dir}, arguments(server, dir)...)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = dir, log, log, []*os.File{read}
	// A group of its own: Ctrl-C at the test must not reach the server before the pipe closes.
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who, Setpgid: true}
	if err := cmd.Start(); err != nil {
		hold.Close()
		return nil, err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		hold.Close() // and until here hold is in use: an unused file is closed by the collector
		close(ended)
	}()
	return func() {
		hold.Close()
		<-ended
	}, nil
}

func arguments(server, dir string) []string {
	return []string{server, "--no-defaults",
		"--datadir=" + filepath.Join(dir, "data"), "--tmpdir=" + dir,
		"--socket=" + filepath.Join(dir, "sock"), "--pid-file=" + filepath.Join(dir, "pid"),
		"--init-file=" + filepath.Join(dir, "first.sql"),
		"--skip-networking", "--skip-log-bin", "--skip-name-resolve",
		"--innodb-buffer-pool-size=32M", "--innodb-log-file-size=8M", "--key-buffer-size=1M",
		"--aria-pagecache-buffer-size=8M", "--innodb-flush-log-at-trx-commit=0", "--innodb-fast-shutdown=2",
		"--max-connections=200", "--performance-schema=OFF",
		"--character-set-server=utf8mb4", "--collation-server=utf8mb4_general_ci",
	}
}

// await asks until the server answers.
func await(dsn, dir string) error {
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		return err
	}
	c.Logger = &mysql.NopLogger{} // refused connections are expected while it starts
	way, err := mysql.NewConnector(c)
	if err != nil {
		return err
	}
	db := sql.OpenDB(way)
	defer db.Close()
	limit := time.After(60 * time.Second)
	for tick := time.Tick(20 * time.Millisecond); ; {
		if err = db.Ping(); err == nil {
			return nil
		}
		select {
		case <-tick:
		case <-limit:
			return fmt.Errorf("the private MariaDB does not answer: %w\n%s", err, tail(filepath.Join(dir, "log")))
		}
	}
}

func tail(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(b[max(0, len(b)-2000):])
}
