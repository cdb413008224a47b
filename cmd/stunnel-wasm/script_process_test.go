//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// A scripted is what the commands of one script share.
type scripted struct {
	env       *testscript.Env
	processes map[string]*process
	conns     map[string]*peer
}

// scriptKey is where a script keeps its *scripted.
type scriptKey struct{}

// A process is a program that runs beside a script.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

func state(ts *testscript.TestScript) *scripted { return ts.Value(scriptKey{}).(*scripted) }

type command = func(ts *testscript.TestScript, neg bool, args []string)

// processCommands are the commands about processes and their files:
//
//	start NAME PROGRAM [ARG...]   run beside the script; NAME.out gets its output
//	signal SIGNAL NAME|PIDFILE    send HUP, USR1, USR2, TERM, INT or QUIT
//	prompt SIGNAL NAME|PIDFILE FILE REGEXP
//	                              send it again and again until a line of the file matches
//	ended NAME STATUS             wait until it ends, with that exit status
//	vanished PIDFILE-COPY         wait until the process of that number is gone
//	inspect PIDFILE               print working directory, descriptors and session
//	waitline FILE REGEXP [N]      wait until N lines (1) of a file match
//	waitgone FILE                 wait until a file is gone
//	mode FILE OCTAL               the file has this mode
//	json FILE                     every line is a JSON object; print the texts
//	get NAME FILE REGEXP          set NAME to the first group of the first line that matches
func processCommands() map[string]command {
	return map[string]command{
		"start":  startProcess,
		"signal": signalProcess,
		"prompt": func(ts *testscript.TestScript, neg bool, args []string) {
			need(ts, neg, args, 4)
			re, err := regexp.Compile("(?m)" + args[3])
			ts.Check(err)
			until(ts, fmt.Sprintf("a line of %s like %s", args[2], args[3]), func() bool {
				signalProcess(ts, false, args[:2])
				time.Sleep(10 * time.Millisecond) // in place of its answer, which may be another
				text, _ := os.ReadFile(ts.MkAbs(args[2]))
				return re.Match(text)
			})
		},
		"ended":    ended,
		"vanished": vanished,
		"inspect":  inspectProcess,
		"waitline": waitLine,
		"waitgone": func(ts *testscript.TestScript, neg bool, args []string) {
			need(ts, neg, args, 1)
			until(ts, "removal of "+args[0], func() bool {
				_, err := os.Lstat(ts.MkAbs(args[0]))
				return errors.Is(err, os.ErrNotExist)
			})
		},
		"mode": func(ts *testscript.TestScript, neg bool, args []string) {
			need(ts, neg, args, 2)
			fi, err := os.Stat(ts.MkAbs(args[0]))
			ts.Check(err)
			if got := fmt.Sprintf("%04o", fi.Mode().Perm()); got != args[1] {
				ts.Fatalf("%s has mode %s, want %s", args[0], got, args[1])
			}
		},
		"json": jsonLines,
		"get":  get,
	}
}

// need checks a command's arguments: n, or more where n is negative.
func need(ts *testscript.TestScript, neg bool, args []string, n int) {
	switch {
	case neg:
		ts.Fatalf("this command cannot be negated")
	case n >= 0 && len(args) != n, n < 0 && len(args) < -n:
		ts.Fatalf("wrong number of arguments: %q", args)
	}
}

// until waits for a condition that has no event to wait for: another process's
// file or end.
func until(ts *testscript.TestScript, what string, true func() bool) {
	deadline := time.Now().Add(testpeer.Patience)
	for !true() {
		if time.Now().After(deadline) {
			ts.Fatalf("waited %v in vain for %s", testpeer.Patience, what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func startProcess(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, -2)
	s := state(ts)
	out, err := os.OpenFile(ts.MkAbs(args[0]+".out"), os.O_WRONLY|os.O_CREATE|os.O_APPEND|os.O_TRUNC, 0o600)
	ts.Check(err)
	defer out.Close()
	path := args[1]
	if path == "stunnel-wasm" {
		path, err = tested()
		ts.Check(err)
	}
	p := &process{cmd: exec.Command(path, args[2:]...), done: make(chan struct{})}
	p.cmd.Dir = ts.MkAbs(".")
	p.cmd.Env = s.env.Vars
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	ts.Check(p.cmd.Start())
	go func() {
		p.cmd.Wait() // its error is in ProcessState
		close(p.done)
	}()
	s.processes[args[0]] = p
}

// end ends what a script has left behind, and looks for what a Go program writes
// when it is broken.
func (s *scripted) end() {
	for name, c := range s.conns {
		c.Close()
		delete(s.conns, name)
	}
	for _, p := range s.processes {
		p.cmd.Process.Kill()
		<-p.done
	}
	mark := workVariable + "=" + s.env.WorkDir
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		environ, err := os.ReadFile(dir + "/environ")
		if err != nil || !slices.Contains(strings.Split(string(environ), "\x00"), mark) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(dir)); err == nil && pid != os.Getpid() {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	broken := regexp.MustCompile(`(?m)^(WARNING: DATA RACE|panic: |fatal error: |goroutine \d+ ).*$`)
	outs, _ := filepath.Glob(filepath.Join(s.env.WorkDir, "*.out"))
	for _, name := range outs {
		text, _ := os.ReadFile(name)
		if found := broken.Find(text); found != nil {
			s.env.T().Log("a program has written ", string(found), " to ", name)
			s.env.T().FailNow()
		}
	}
}

// target is the process that a name or a file with its number stands for.
func target(ts *testscript.TestScript, name string) *os.Process {
	if p := state(ts).processes[name]; p != nil {
		return p.cmd.Process
	}
	pid, err := strconv.Atoi(strings.TrimSpace(ts.ReadFile(name)))
	ts.Check(err)
	p, err := os.FindProcess(pid)
	ts.Check(err)
	return p
}

func signalProcess(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2)
	signals := map[string]syscall.Signal{"HUP": syscall.SIGHUP, "USR1": syscall.SIGUSR1, "USR2": syscall.SIGUSR2,
		"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "QUIT": syscall.SIGQUIT}
	s, ok := signals[args[0]]
	if !ok {
		ts.Fatalf("unknown signal %s", args[0])
	}
	ts.Check(target(ts, args[1]).Signal(s))
}

func ended(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2)
	p := state(ts).processes[args[0]]
	if p == nil {
		ts.Fatalf("no process %s was started", args[0])
	}
	select {
	case <-p.done:
	case <-time.After(testpeer.Patience):
		ts.Fatalf("%s does not end", args[0])
	}
	if got := strconv.Itoa(p.cmd.ProcessState.ExitCode()); got != args[1] {
		ts.Fatalf("%s has ended with %v, want status %s", args[0], p.cmd.ProcessState, args[1])
	}
}

func vanished(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1)
	pid := target(ts, args[0]).Pid
	until(ts, fmt.Sprintf("the end of process %d", pid), func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		// Nobody may reap it where the first process of a container does not.
		return err != nil || strings.Contains(string(stat), ") Z ")
	})
}

func inspectProcess(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1)
	pid := target(ts, args[0]).Pid
	w := ts.Stdout()
	for _, l := range []string{"cwd", "fd/0", "fd/1", "fd/2"} {
		to, err := os.Readlink(fmt.Sprintf("/proc/%d/%s", pid, l))
		ts.Check(err)
		fmt.Fprintln(w, l, to)
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	ts.Check(err)
	// proc(5): after the name in parentheses come state, ppid, pgrp, session, tty.
	_, rest, _ := strings.Cut(string(stat), ") ")
	f := strings.Fields(rest)
	fmt.Fprintln(w, "session leader", f[3] == strconv.Itoa(pid))
	fmt.Fprintln(w, "terminal", f[4] != "0")
}

func waitLine(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, -2)
	n := 1
	if len(args) > 2 {
		var err error
		n, err = strconv.Atoi(args[2])
		ts.Check(err)
	}
	re, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	until(ts, fmt.Sprintf("%d lines of %s like %s", n, args[0], args[1]), func() bool {
		text, _ := os.ReadFile(ts.MkAbs(args[0])) // it may not be there yet
		return len(re.FindAll(text, n)) >= n
	})
}

func get(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 3)
	waitLine(ts, neg, []string{args[1], args[2]})
	re := regexp.MustCompile("(?m)" + args[2])
	ts.Setenv(args[0], re.FindStringSubmatch(ts.ReadFile(args[1]))[1])
}

func jsonLines(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1)
	r := bufio.NewScanner(strings.NewReader(ts.ReadFile(args[0])))
	for r.Scan() {
		d := json.NewDecoder(strings.NewReader(r.Text()))
		d.UseNumber()
		var line map[string]any
		if err := d.Decode(&line); err != nil {
			ts.Fatalf("%q is no JSON object: %v", r.Text(), err)
		}
		if _, err := d.Token(); err != io.EOF {
			ts.Fatalf("%q has text behind the object", r.Text())
		}
		fmt.Fprintln(ts.Stdout(), line)
	}
}
