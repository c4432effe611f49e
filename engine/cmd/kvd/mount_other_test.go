//go:build !linux

package main

import "errors"

func mount(string, string) error { return errors.New("this test can mount only on Linux") }

func unmount(string) error { return nil }
