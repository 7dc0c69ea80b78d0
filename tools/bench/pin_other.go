//go:build !linux

package main

import "os/exec"

// Nothing keeps a process on one core here, so nothing is measured.
func allowedCores() ([]int, error) {
	return nil, refuse("only Linux keeps a process on one core: run it there")
}

func keepOn(int) error { return nil }

func startOn(cmd *exec.Cmd, _, _ int) error { return cmd.Start() }
