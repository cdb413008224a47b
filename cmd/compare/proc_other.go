//go:build !linux

package main

import (
	"errors"
	"syscall"
	"time"
)

func raiseDescriptors() error { return errors.New("only Linux tells what is measured here") }

func childAttributes() *syscall.SysProcAttr { return nil }

func killGroup(int) {}

func cpuTime(int) (time.Duration, error) { return 0, errors.ErrUnsupported }

func residentKiB(int) (int, error) { return 0, errors.ErrUnsupported }
