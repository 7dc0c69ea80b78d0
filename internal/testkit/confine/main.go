// Command confine is put in a function's place: it joins the control group that the file
// "group" beside it names, and becomes the command that the file "command" names, which so
// is in the group from its first instruction on. The environment goes along.
//
// Only tests build it.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

func main() {
	fmt.Fprintln(os.Stderr, "confine:", run()) // it does not return when all is well
	os.Exit(1)
}

func run() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	group, err := os.ReadFile(filepath.Join(filepath.Dir(self), "group"))
	command, errCommand := os.ReadFile(filepath.Join(filepath.Dir(self), "command"))
	if err := errors.Join(err, errCommand); err != nil {
		return err
	}
	pid := []byte(strconv.Itoa(os.Getpid()))
	if err := os.WriteFile(filepath.Join(string(group), "cgroup.procs"), pid, 0); err != nil {
		return err
	}
	return syscall.Exec(string(command), []string{string(command)}, os.Environ())
}
