// Command servers runs another command with a throw-away PostgreSQL and MariaDB around it:
//
//	go run ./internal/testkit/cmd/servers -- go test ./...
//
// The command finds them in OMBUD_TEST_PG and OMBUD_TEST_MARIA. It runs in a process group of its own;
// when it ends, or this program is told to stop, the group and both servers end and their files go.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/ombudhq/ombud/internal/testkit/mariatest"
	"github.com/ombudhq/ombud/internal/testkit/pgtest"
)

func main() { os.Exit(run(os.Args[1:])) }

// run answers the command's exit code, or 6 when it could not run.
func run(argv []string) int {
	if len(argv) > 0 && argv[0] == "--" {
		argv = argv[1:]
	}
	if len(argv) == 0 {
		fmt.Fprintln(os.Stderr, "usage: servers -- COMMAND ARGUMENT…")
		return 2
	}
	stopped := make(chan os.Signal, 1)
	signal.Notify(stopped, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	env, stop, err := start()
	defer stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 6
	}
	return execute(argv, env, stopped)
}

// server is one that was started, or why it was not.
type server struct {
	env  string
	stop func()
	err  error
}

// start brings both up at the same time. Stop ends whichever came up, also after an error.
func start() (env []string, stop func(), err error) {
	pg, maria := make(chan server, 1), make(chan server, 1)
	go func() {
		dsn, stop, err := pgtest.Start()
		pg <- server{pgtest.Env + "=" + dsn, stop, err}
	}()
	go func() {
		dsn, stop, err := mariatest.Start()
		maria <- server{mariatest.Env + "=" + dsn, stop, err}
	}()
	up := []server{<-pg, <-maria}
	stop = func() {
		for _, s := range up {
			if s.stop != nil {
				s.stop()
			}
		}
	}
	return []string{up[0].env, up[1].env}, stop, errors.Join(up[0].err, up[1].err)
}

// execute runs the command in its own group, passes a stop on to it, and leaves nothing of the group behind.
func execute(argv, env []string, stopped <-chan os.Signal) int {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 6
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	defer func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }()
	select {
	case <-ended:
		return cmd.ProcessState.ExitCode()
	case s := <-stopped:
		_ = syscall.Kill(-cmd.Process.Pid, s.(syscall.Signal))
	}
	select {
	case <-ended:
	case <-stopped: // told twice: no more waiting
	}
	return 130
}
