package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"6.824/cmd/coursetree"
)

// A disk changes the files of one tree. Before each step, which changes one file or directory, it calls before with a
// description of the step, and it does not take the step if before returns an error. Paths are relative to the tree, with
// slashes.
type disk struct {
	dir    string
	before func(step string) error
}

// always lets every step happen.
func always(string) error { return nil }

func (d *disk) path(name string) string   { return filepath.Join(d.dir, filepath.FromSlash(name)) }
func (d *disk) backup(name string) string { return stateDir + "/" + backupName + "/" + name }
func (d *disk) staged(name string) string { return stateDir + "/" + stagingName + "/" + name }

func (d *disk) has(name string) bool { return exists(d.path(name)) }

// free returns name, or name with a number if there is a file of that name.
func (d *disk) free(name string) string {
	for i, candidate := 2, name; ; i++ {
		if !d.has(candidate) {
			return candidate
		}
		candidate = fmt.Sprintf("%s.%d", name, i)
	}
}

// rename moves a file and makes the directory that it moves to. It replaces no file.
func (d *disk) rename(from, to string) error {
	if err := d.makeParent(to); err != nil {
		return err
	}
	if d.has(to) {
		return fmt.Errorf("%s has appeared meanwhile", to)
	}
	return d.replace(from, to)
}

// replace is rename, but replaces a file of the new name.
func (d *disk) replace(from, to string) error {
	if err := d.before("rename " + from + " to " + to); err != nil {
		return err
	}
	return os.Rename(d.path(from), d.path(to))
}

// write writes a new file and makes its directory.
func (d *disk) write(name string, text []byte) error {
	if err := d.makeParent(name); err != nil {
		return err
	}
	if err := d.before("write " + name); err != nil {
		return err
	}
	return os.WriteFile(d.path(name), text, 0o644)
}

func (d *disk) makeParent(name string) error {
	dir := filepath.Dir(d.path(name))
	if coursetree.IsDir(dir) {
		return nil
	}
	if err := d.before("make the directory of " + name); err != nil {
		return err
	}
	return os.MkdirAll(dir, 0o755)
}

// remove removes a file or an empty directory.
func (d *disk) remove(name string) error {
	if err := d.before("remove " + name); err != nil {
		return err
	}
	return os.Remove(d.path(name))
}

// removeStaging removes the directory of the files that are still to be installed.
func (d *disk) removeStaging() error {
	name := stateDir + "/" + stagingName
	if err := d.before("remove " + name); err != nil {
		return err
	}
	return os.RemoveAll(d.path(name))
}

// clear removes stateDir, which has no manifest and no backup.
func (d *disk) clear() error {
	if err := d.removeStaging(); err != nil {
		return err
	}
	if err := d.removeEmpty(stateDir + "/" + backupName); err != nil {
		return err
	}
	return d.removeStateDir()
}

// apply carries out a plan. No manifest may be there. If apply fails or is interrupted at any step, restore repairs the tree.
func (d *disk) apply(p *plan) error {
	if err := d.removeStaging(); err != nil {
		return err
	}
	m, err := newManifest(p)
	if err != nil {
		return err
	}
	for _, name := range p.names() {
		if err := d.write(d.staged(name), p.written[name]); err != nil {
			return err
		}
	}
	if err := d.writeManifest(m); err != nil {
		return err
	}
	for _, name := range p.moved {
		if err := d.rename(name, d.backup(name)); err != nil {
			return err
		}
	}
	for _, name := range p.names() {
		if err := d.rename(d.staged(name), name); err != nil {
			return err
		}
	}
	return d.removeStaging()
}

// writeManifest writes the manifest in one step.
func (d *disk) writeManifest(m *manifest) error {
	text, err := json.MarshalIndent(m, "", "\t")
	if err != nil {
		return err
	}
	temporary := d.staged(manifestName)
	if err := d.write(temporary, append(text, '\n')); err != nil {
		return err
	}
	return d.rename(temporary, stateDir+"/"+manifestName)
}

// giveUp restores the tree after apply has returned err, and returns err with a note about that.
func (d *disk) giveUp(err error) error {
	d.before = always // also after a signal
	m, readErr := readManifest(d.dir)
	if readErr == nil && m != nil {
		var result *restored
		result, readErr = d.restore(m)
		if readErr == nil && len(result.aside)+len(result.lost) > 0 {
			return fmt.Errorf("%w; the tree is restored, but %v", err, strings.Join(append(result.aside, result.lost...), ", "))
		}
	} else if readErr == nil && d.has(stateDir) {
		readErr = d.clear()
	}
	if readErr != nil {
		return fmt.Errorf("%w; the tree is not restored yet (%w): run the command again with -undo", err, readErr)
	}
	return fmt.Errorf("%w; the tree is as it was before", err)
}
